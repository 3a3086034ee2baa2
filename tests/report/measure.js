// What is not in its place on the page, as a list of sentences.
(() => {
  const wrong = [];
  const name = (element) => `<${element.tagName.toLowerCase()}> "${element.textContent.trim().slice(0, 40)}"`;
  const shown = (element) => element.getClientRects().length > 0;
  if (document.documentElement.scrollWidth > innerWidth) {
    wrong.push(`the page is ${document.documentElement.scrollWidth} pixels wide in ${innerWidth}`);
  }
  // What scrolls by itself may be wider; nothing else is cut off or sticks out.
  for (const element of document.querySelectorAll("body *:not(svg *)")) {
    if (!shown(element) || element.closest(".scroll, .picture")) {
      continue;
    }
    const place = element.getBoundingClientRect();
    if (place.left < -1 || place.right > innerWidth + 1) {
      wrong.push(`${name(element)} sticks out: ${place.left} to ${place.right}`);
    }
  }
  // Labels of a picture: inside of it, and none on another.
  for (const picture of document.querySelectorAll("svg")) {
    const whole = picture.viewBox.baseVal;
    const labels = [...picture.querySelectorAll("text")].filter(shown);
    const places = labels.map((label) => label.getBBox());
    places.forEach((place, at) => {
      if (place.x < -1 || place.x + place.width > whole.width + 1 || place.y + place.height > whole.height + 1) {
        wrong.push(`${name(labels[at])} leaves its picture`);
      }
      for (let other = 0; other < at; ++other) {
        const that = places[other];
        if (place.x < that.x + that.width - 1 && that.x < place.x + place.width - 1 &&
            place.y < that.y + that.height - 3 && that.y < place.y + place.height - 3) {
          wrong.push(`${name(labels[at])} lies on ${name(labels[other])}`);
        }
      }
    });
  }
  // A heading with nothing below it says nothing.
  for (const part of document.querySelectorAll("section, figure")) {
    if (part.innerText.trim() === part.querySelector("h2").innerText.trim()) {
      wrong.push(`"${part.innerText.trim()}" is empty without a word`);
    }
  }
  // Markup of others.
  if (document.title !== "copernica-mirror: report") {
    wrong.push(`the title is "${document.title}"`);
  }
  for (const element of document.querySelectorAll("*")) {
    if (["SCRIPT", "IMG", "IFRAME", "LINK", "BASE", "OBJECT", "EMBED", "FORM"].includes(element.tagName)) {
      wrong.push(`there is a <${element.tagName.toLowerCase()}>`);
    }
    for (const attribute of element.getAttributeNames()) {
      if (attribute.startsWith("on") || attribute === "style" || (attribute === "href" && element.origin !== location.origin)) {
        wrong.push(`${name(element)} has the attribute ${attribute}`);
      }
    }
  }
  return [...new Set(wrong)].slice(0, 12);
})()
