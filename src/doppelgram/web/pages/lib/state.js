// The address of the page holds its state, so that a view can be kept, sent and gone back to.

/** The parameters of the address as an object. */
export const state = () => Object.fromEntries(new URLSearchParams(location.search));

/** The address with some parameters changed; empty ones disappear. */
export function changed(changes, from = state()) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...from, ...changes })) {
    if (value !== "" && value !== null && value !== undefined) parameters.set(name, value);
  }
  const query = parameters.toString();
  return location.pathname + (query ? `?${query}` : "");
}

/** Change the address without leaving the view: for sliders and the like. */
export const remember = (changes) => history.replaceState(history.state, "", changed(changes));

/** Go to another address of this page. */
export function go(href) {
  history.pushState(null, "", href);
  dispatchEvent(new PopStateEvent("popstate"));
}
