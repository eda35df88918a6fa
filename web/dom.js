// Functions that build elements.

/**
 * Makes an element. `properties` become properties of the element, except `data`, `aria` and `role`, which become
 * attributes.
 */
export function element(tag, properties = {}, ...children) {
  const { data = {}, aria = {}, role, ...own } = properties;
  const node = Object.assign(document.createElement(tag), own);
  for (const [name, value] of Object.entries(data)) node.dataset[name] = value;
  for (const [name, value] of Object.entries(aria)) node.setAttribute(`aria-${name}`, value);
  if (role) node.setAttribute("role", role);
  node.append(...children);
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** Makes an SVG element with these attributes. */
export function shape(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
