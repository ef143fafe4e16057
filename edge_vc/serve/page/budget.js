// The delay, line by line, as a bar and as a table.

import { element, get, ms } from "/elements.js";

export function showBudget(budget) {
  const rows = budget ? budget.lines : [];
  get("total").firstElementChild.textContent = budget ? ms(budget.total) : "–";
  get("stack").replaceChildren(...rows.filter((line) => line[1] > 0).map(([name, value], index) => {
    const part = element("i", { className: `c${index % 6}`, title: `${name}: ${ms(value)}` });
    part.style.flexGrow = value;
    return part;
  }));
  let colour = -1;
  const lines = rows.map(([name, value, how]) => {
    if (value > 0) colour += 1;
    const dot = element("i", { className: value > 0 ? `c${colour % 6}` : "" });
    return element("tr", {}, element("th", { scope: "row" }, dot, name, element("small", { textContent: how })), element("td", { textContent: ms(value) }));
  });
  if (budget) {
    const how = element("small", { textContent: "measured between the worklets; both ends estimated" });
    lines.push(element("tr", {}, element("th", { scope: "row" }, element("i"), "Total", how), element("td", { textContent: ms(budget.total) })));
  } else {
    lines.push(element("tr", {}, element("th", { textContent: "Start to measure it." })));
  }
  get("budget").tBodies[0].replaceChildren(...lines);
}
