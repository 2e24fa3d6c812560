// Talking to the server. Addresses are relative: the secret in that of the page goes with them.

const address = (path, parameters = {}) => `api/${path}${query(parameters)}`;

function query(parameters) {
  const text = new URLSearchParams(parameters).toString();
  return text ? `?${text}` : "";
}

async function checked(response) {
  if (response.ok) return response;
  let message = `${response.status} ${response.statusText}`;
  try {
    message = (await response.json()).error ?? message;
  } catch {
    // the answer is no JSON: its status has to do
  }
  throw new Error(message);
}

/** The answer itself, for bytes. */
export async function fetched(path, parameters, options) {
  let response;
  try {
    response = await fetch(address(path, parameters), options);
  } catch {
    throw new Error("caw studio does not answer: it has been ended, or is out of reach.");
  }
  return checked(response);
}

/** JSON from the server. */
export const get = async (path, parameters) => (await fetched(path, parameters)).json();

/** Send an object, or a file. */
export async function post(path, body = {}, parameters = {}) {
  const isFile = body instanceof Blob;
  const type = isFile ? "application/octet-stream" : "application/json";
  const content = isFile ? body : JSON.stringify(body);
  const options = { method: "POST", headers: { "content-type": type }, body: content };
  return (await fetched(path, parameters, options)).json();
}

/** Where a recording is heard, and where it is kept from. */
export const audioAddress = (file) => address("audio", { file });
export const downloadAddress = (file, format, title) => address("download", { file, format, title });
export const modelAddress = (file, title) => address("model", { file, title });
export const recordAddress = (job) => `api/jobs/${job}/record`;

/** Jobs as they change. */
export const events = () => new EventSource("api/events");
