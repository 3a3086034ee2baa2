// The look of the report.
#pragma once

namespace mirror::daemon {

/// Light or dark as the system is set, and for print. The colours of kinds differ in lightness,
/// too, for people who cannot tell hues apart.
inline constexpr const char* report_style = R"css(
:root {
  color-scheme: light dark;
  --back: #ffffff; --ink: #1b1f24; --faint: #57606a; --line: #d0d7de; --card: #f6f8fa;
  --bar: #0b61a4; --person: #0b61a4; --privacy: #8250df; --prefetch: #bf5600; --proxy: #2da44e;
  --scanner: #cf222e; --unknown: #8c959f; --whole: #1a7f37; --partly: #d4a72c; --none: #cf222e;
  --ahead: #d0d7de; --shade: #0003;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0d1117; --ink: #e6edf3; --faint: #9198a1; --line: #3d444d; --card: #151b23;
    --bar: #4493f8; --person: #4493f8; --privacy: #ab7df8; --prefetch: #f0883e; --proxy: #3fb950;
    --scanner: #f85149; --unknown: #9198a1; --whole: #3fb950; --partly: #e3b341; --none: #f85149;
    --ahead: #3d444d; --shade: #000c;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; background: var(--back); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
p, figcaption { color: var(--faint); margin: .5rem 0; }
figure, section { margin: 1rem 0; padding: 1rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; break-inside: avoid; }
/* A shadow at the side where there is more. */
.picture, .scroll { overflow-x: auto;
  background: linear-gradient(90deg, var(--card) 30%, transparent) 0 0 / 2.5rem 100%,
    linear-gradient(270deg, var(--card) 30%, transparent) 100% 0 / 2.5rem 100%,
    linear-gradient(90deg, var(--shade), transparent) 0 0 / 1rem 100%,
    linear-gradient(270deg, var(--shade), transparent) 100% 0 / 1rem 100%;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; }
svg { display: block; width: 100%; min-width: 36rem; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.axis { stroke: var(--line); }
.bar { fill: var(--bar); } .heat { fill: var(--bar); } .empty { fill: var(--line); }
.person { fill: var(--person); } .privacy { fill: var(--privacy); }
.prefetch { fill: var(--prefetch); } .proxy { fill: var(--proxy); }
.scanner { fill: var(--scanner); } .unknown { fill: var(--unknown); }
.whole { fill: var(--whole); } .partly { fill: var(--partly); } .none { fill: var(--none); }
.ahead { fill: var(--ahead); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .5rem; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td, thead th { white-space: nowrap; }
th:first-child { text-align: left; font-weight: 400; overflow-wrap: anywhere; min-width: 8rem; }
.words { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 12rem; }
thead th { font-weight: 600; }
summary { cursor: pointer; margin-top: .5rem; }
a { color: var(--bar); }
:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
@media print {
  body { max-width: none; padding: 0; }
  figure, section { border: 0; padding: 0; }
  svg { min-width: 0; }
  details:not([open]) { display: none; }
  .picture, .scroll { overflow: visible; background: none; }
  table { font-size: .7rem; }
  td, thead th { white-space: normal; }
  th, td, th:first-child, .words { min-width: 0; padding: .15rem .3rem; }
  rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace mirror::daemon
