// REST calls: same origin, CSRF, a bounded wait, and refusals as sentences.

import { fill, gettext } from "./i18n.js";

/** A refusal: code is stable, message is for people, errors point at fields. answered is false when nobody knows whether it was done. */
export class Problem extends Error {
  constructor({ code, message, status = 0, errors = [], retryAfterS = null, answered = true }) {
    super(message);
    Object.assign(this, { code, status, errors, retryAfterS, answered });
  }
}

const cookie = (name) => document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
const csrfToken = () => cookie("csrftoken") ?? cookie("__Host-csrftoken") ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

/** Call the API. Gives the parsed answer, or throws a Problem. */
export async function api(method, path, { body, headers = {}, timeoutMs = 10_000 } = {}) {
  const init = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin", signal: AbortSignal.timeout(timeoutMs) };
  if (method !== "GET") init.headers["X-CSRFToken"] = csrfToken();
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    throw new Problem({
      code: error.name === "TimeoutError" ? "timeout" : "offline",
      message: error.name === "TimeoutError" ? gettext("The server took too long to answer.") : gettext("The server cannot be reached."),
      answered: false,
    });
  }
  const text = await response.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    // an answer of a proxy or a crash page: the status tells what can be told
  }
  if (response.ok) return data;
  throw problemOf(response, data);
}

function problemOf(response, data) {
  const retryAfterS = Number(response.headers.get("Retry-After")) || null;
  let message = data?.detail || data?.title || fill(gettext("The server answered with status {status}."), { status: response.status });
  const fields = (data?.errors ?? []).map((error) => error.detail).filter((detail) => detail && detail !== message);
  if (fields.length) message = `${message} ${fields.join(" ")}`;
  if (response.status === 401) message = gettext("You are signed out. Sign in and try again.");
  return new Problem({ code: data?.code ?? `http_${response.status}`, message, status: response.status, errors: data?.errors ?? [], retryAfterS, answered: response.status < 502 });
}

/** Send a thing that carries its own id until it is answered, at most three times: the same id is the same thing. */
export async function sendOnce(method, path, options) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await api(method, path, options);
    } catch (problem) {
      const again = problem instanceof Problem && (!problem.answered || problem.status === 503) && attempt < 3;
      if (!again) throw problem;
      await new Promise((resume) => setTimeout(resume, 400 * attempt));
    }
  }
}
