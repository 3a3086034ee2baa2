// packaging/open-rules.toml, as the build embeds it.
#pragma once

namespace mirror::daemon {

extern const char* const packaged_open_rules_text;

}  // namespace mirror::daemon
