// Questions to the server of this page, and to nobody else.

const token = document.querySelector('meta[name="token"]').content;

/** What the server refused, in its own sentence. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function answered(request) {
  let response;
  try {
    response = await request;
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Refused("The page's server does not answer. Start it again with doppelgram serve.", 0);
  }
  if (response.ok) return response;
  let detail = `the server answered ${response.status}`;
  try {
    detail = (await response.json()).detail;
  } catch {
    /* The status has to do. */
  }
  throw new Refused(detail, response.status);
}

/** An address with its parameters; empty ones are left out. */
export function address(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const query = new URLSearchParams(given).toString();
  return query ? `${path}?${query}` : path;
}

/** Ask; JSON comes back. */
export async function get(path, parameters = {}, signal = undefined) {
  return (await answered(fetch(address(`/api${path}`, parameters), { signal }))).json();
}

/** Ask for bytes. */
export async function bytes(path, parameters = {}, signal = undefined) {
  return (await answered(fetch(address(`/api${path}`, parameters), { signal }))).arrayBuffer();
}

/** Change something; a Blob is sent as it is, anything else as JSON. */
export async function send(method, path, body = undefined, parameters = {}) {
  const blob = body instanceof Blob;
  const headers = { "x-doppelgram-token": token };
  if (body !== undefined) headers["content-type"] = blob ? "application/octet-stream" : "application/json";
  const content = blob || body === undefined ? body : JSON.stringify(body);
  const response = await answered(fetch(address(`/api${path}`, parameters), { method, headers, body: content }));
  return response.status === 204 ? null : response.json();
}

/** Address of a small picture. */
export const thumbnail = (id) => `/api/images/${encodeURIComponent(id)}/thumbnail`;

/** Address of a photograph. */
export const photograph = (id) => `/api/images/${encodeURIComponent(id)}`;
