"use strict";

// Hides the commands in which not every word of the search box occurs, and the sections that have none left.
const box = document.getElementById("search");
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of document.querySelectorAll("section")) {
    let left = 0;
    for (const item of section.querySelectorAll("li")) {
      const text = item.dataset.search.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      left += item.hidden ? 0 : 1;
    }
    section.hidden = left === 0;
  }
});
