// Drawings: elements of SVG, built like all others and styled by the sheet alone.

/** An element of a drawing; attributes whose value is null are left out, functions are listeners. */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A path through points [x, y], with a gap where y is not known. */
export function path(points) {
  let pen = "M";
  let text = "";
  for (const [x, y] of points) {
    if (y === null || Number.isNaN(y)) { pen = "M"; continue; }
    text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return text;
}
