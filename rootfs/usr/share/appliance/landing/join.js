// The join page: makes an account with the token in its own address, by the client API alone.
// Source: Matrix specification, client-server API, "User-Interactive Authentication API".

const TOKEN_STAGE = "m.login.registration_token";
const DUMMY_STAGE = "m.login.dummy";
const PATIENCE_SECONDS = 90;

const token = decodeURIComponent(location.pathname.split("/join/").pop());
// Relative, for a server whose public address has a path.
const registration = new URL("../_matrix/client/v3/register", location.href);
const serverName = document.body.dataset.serverName;
const memory = `join:${token}`;

const element = (id) => document.getElementById(id);
const [form, name, password, again, agree] = [
  document.querySelector("form"),
  ...["name", "password", "again", "agree"].map(element),
];

class Refusal extends Error {
  // `message` names a sentence of the page, `field` the input that it is about.
  constructor(message, field = null) {
    super(message);
    this.field = field;
  }
}

const REFUSALS = {
  M_USER_IN_USE: ["name_taken", name],
  M_EXCLUSIVE: ["name_taken", name],
  M_INVALID_USERNAME: ["name_refused", name],
  M_WEAK_PASSWORD: ["password_weak", password],
  M_PASSWORD_TOO_SHORT: ["password_weak", password],
  M_PASSWORD_NO_DIGIT: ["password_weak", password],
  M_PASSWORD_NO_UPPERCASE: ["password_weak", password],
  M_PASSWORD_NO_LOWERCASE: ["password_weak", password],
  M_PASSWORD_NO_SYMBOL: ["password_weak", password],
};

function sentence(key) {
  return document.querySelector(`#messages [data-name="${key}"]`).textContent;
}

function say(place, key, tone = "") {
  const says = element(`${place}-says`);
  says.textContent = key ? sentence(key) : "";
  says.dataset.tone = tone;
}

// Show one of the page's states; the reader's place is its headline.
function show(state) {
  for (const main of document.querySelectorAll("main")) main.hidden = main.id !== state;
  element(state).querySelector("h2[tabindex]")?.focus();
}

function welcome(userId) {
  element("who").textContent = userId;
  show("joined");
}

// What a reload of this tab must still know: a token is spent at the first try with it.
function recall() {
  return JSON.parse(sessionStorage.getItem(memory) ?? "{}");
}

function remember(values) {
  sessionStorage.setItem(memory, JSON.stringify({ ...recall(), ...values }));
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function askOnce(method, address, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  const content = body && JSON.stringify(body);
  const options = { method, headers, body: content, cache: "no-store", credentials: "omit" };
  const response = await fetch(address, options);
  if (response.status >= 500) throw new Error(`status ${response.status}`);
  return { status: response.status, answer: await response.json() };
}

// Ask, and again where a network was lost or changed, or the server is only just starting. Nothing
// is done twice by that: one session makes one account. `repeated` says that an earlier answer may
// have been lost.
async function ask(method, address, body) {
  let repeated = false;
  for (const milliseconds of [300, 1000, 2000, 4000, 8000]) {
    try {
      return { ...(await askOnce(method, address, body)), repeated };
    } catch {
      await pause(milliseconds);
      repeated = true;
    }
  }
  throw new Refusal("no_answer");
}

// Ask; told that this is too fast, wait as long as the server says.
async function askPatiently(method, address, body) {
  const end = Date.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const asked = await ask(method, address, body);
    if (asked.status !== 429 || Date.now() > end) return asked;
    say("form", "waiting");
    await pause(Math.max(1000, asked.answer.retry_after_ms ?? 5000));
  }
}

function nextStage(flows, completed) {
  const able = flows
    .map((flow) => flow.stages)
    .find((stages) => stages.every((one) => [TOKEN_STAGE, DUMMY_STAGE, ...completed].includes(one)));
  return able?.find((stage) => !completed.includes(stage));
}

// Take one stage after the other until the account is there; return its user ID.
async function register(username, secret) {
  const wish = { username, password: secret, inhibit_login: true };
  let { session } = recall();
  let auth = session && { session };
  let doubtful = false;
  for (let step = 0; step < 12; step += 1) {
    const asked = await askPatiently("POST", registration, { ...wish, auth });
    const { status, answer } = asked;
    if (status === 200) return answer.user_id;
    doubtful ||= asked.repeated;
    if (doubtful && answer.errcode === "M_USER_IN_USE" && step < 8) {
      await pause(1000); // by ourselves perhaps, of which the session is about to know
      continue;
    }
    if (REFUSALS[answer.errcode]) throw new Refusal(...REFUSALS[answer.errcode]);
    if (status === 429) throw new Refusal("no_answer");
    if (answer.flows === undefined) {
      if (session === undefined) throw new Refusal(status === 403 ? "closed" : "failed");
      session = auth = undefined; // the server knows it no more
      remember({ session });
      continue;
    }
    if (answer.errcode && auth?.type === TOKEN_STAGE) throw new Refusal("invalid");
    session = answer.session;
    const stage = nextStage(answer.flows, answer.completed ?? []);
    if (stage === undefined) throw new Refusal("failed");
    if (stage === TOKEN_STAGE) remember({ session });
    auth = { type: stage, session, ...(stage === TOKEN_STAGE && { token }) };
  }
  throw new Refusal("failed");
}

// Return the name as the server will have it, from what people type of a user ID.
function wanted() {
  const typed = name.value.trim().toLowerCase().replace(/^@/, "");
  return typed.endsWith(`:${serverName}`) ? typed.slice(0, -serverName.length - 1) : typed;
}

function faultOfName(username) {
  if (username === "") return "name_missing";
  if (!/^[a-z0-9._=/+-]+$/.test(username)) return "name_letters";
  return `@${username}:${serverName}`.length > 255 ? "name_long" : "";
}

function* faults() {
  const fault = faultOfName(wanted());
  if (fault) yield [fault, name];
  if (password.value.length < 8) yield ["password_short", password];
  else if (again.value !== password.value) yield ["password_differs", again];
  if (agree && !agree.checked) yield ["rules_open", agree];
}

function complain(key, field) {
  field.setAttribute("aria-invalid", "true");
  say(field.id, key, "bad");
}

// Whether a name is free is asked one question at a time, after a pause, and no sooner again than
// the server answers: it slows down whoever asks much.
let typing, asking;

function noteName() {
  const username = wanted();
  element("user-id").textContent = `@${username || "\u2026"}:${serverName}`;
  clearTimeout(typing);
  const fault = faultOfName(username);
  if (username === "") say("name", "");
  else if (fault) complain(fault, name);
  else typing = setTimeout(askForName, 600);
}

async function askForName() {
  if (asking) return;
  const username = wanted();
  say("name", "name_asking");
  const address = new URL(`register/available?username=${encodeURIComponent(username)}`, registration);
  asking = ask("GET", address).catch(() => ({}));
  const { status, answer } = await asking;
  asking = undefined;
  if (username !== wanted()) {
    noteName();
  } else if (status === 200) {
    say("name", "name_free", "good");
  } else if (REFUSALS[answer?.errcode]) {
    complain(...REFUSALS[answer.errcode]);
  } else {
    say("name", ""); // asked too often, or no answer: joining will tell
  }
}

async function join(event) {
  event.preventDefault();
  const found = [...faults()];
  for (const [key, field] of found) complain(key, field);
  if (found.length > 0) {
    found[0][1].focus();
    return;
  }
  const button = element("join");
  button.setAttribute("aria-disabled", "true");
  form.removeEventListener("submit", join);
  const hold = (again) => again.preventDefault();
  form.addEventListener("submit", hold);
  say("form", "joining");
  try {
    const userId = await register(wanted(), password.value);
    remember({ joined: userId });
    form.reset();
    welcome(userId);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error);
  } finally {
    button.removeAttribute("aria-disabled");
    form.removeEventListener("submit", hold);
    form.addEventListener("submit", join);
  }
}

function refuse(refusal) {
  say("form", "");
  if (refusal.field) {
    complain(refusal.message, refusal.field);
    refusal.field.focus();
  } else if (["invalid", "closed"].includes(refusal.message)) {
    show(refusal.message);
  } else {
    say("form", refusal.message, "bad");
  }
}

function prepare() {
  for (const field of [name, password, again, agree].filter(Boolean)) {
    field.addEventListener("input", () => {
      field.removeAttribute("aria-invalid");
      say(field.id, "");
    });
  }
  name.addEventListener("input", noteName);
  element("show").addEventListener("change", (event) => {
    for (const field of [password, again]) field.type = event.target.checked ? "text" : "password";
  });
  form.addEventListener("submit", join);
  // Whoever invited may have proposed a name; what is after # no server is told.
  name.value = decodeURIComponent(location.hash.slice(1));
  if (name.value) noteName();
  show("form");
}

// Say at once if the invitation is good for nothing. Asked too often the server does not tell, and
// then joining does.
async function begin() {
  const { joined, session } = recall();
  if (joined) {
    welcome(joined);
    return;
  }
  if (!session) {
    const question = `../v1/register/${TOKEN_STAGE}/validity?token=${encodeURIComponent(token)}`;
    const asked = await ask("GET", new URL(question, registration)).catch(() => ({}));
    if (asked.status === 200 && !asked.answer.valid) {
      show("invalid");
      return;
    }
    if (asked.status === 403) {
      show("closed");
      return;
    }
  }
  prepare();
}

begin();
