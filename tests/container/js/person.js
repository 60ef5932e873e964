// One device of one person, with what Element is made of. test_clients_js.py says what it does;
// every function here returns plain data, and asserts nothing.

import { decryptAttachment, encryptAttachment } from "matrix-encrypt-attachment";
import { AutoDiscovery, ClientEvent, createClient, MatrixError } from "matrix-js-sdk";
import { decodeRecoveryKey } from "matrix-js-sdk/lib/crypto-api/recovery-key.js";

const PATIENCE_MILLISECONDS = 30_000;
const ATTEMPTS = 10;

export let client; // for call.js
let password;
let secretStorageKey; // [its ID, its bytes], as Element keeps it while it is open

/**
 * Fetch, and again if the browser broke it off: Chromium ends every request when a network interface
 * changes, which any container that starts on this machine does. What the server answers is never
 * asked for again, and a server that cannot be reached still fails.
 */
async function fetchPatiently(...request) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetch(...request);
    } catch (error) {
      if (!(error instanceof TypeError) || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * attempt));
    }
  }
}
AutoDiscovery.setFetchFn(fetchPatiently);

/** Upload, and again if the browser broke it off: the library uploads by XMLHttpRequest, not fetch. */
async function uploadPatiently(...upload) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.uploadContent(...upload);
    } catch (error) {
      if (error.name !== "AbortError" || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * attempt));
    }
  }
}

/** Find the address of a server from its name alone. */
export async function discover(serverName) {
  const config = await AutoDiscovery.findClientConfig(serverName);
  const { state, error, base_url: baseUrl } = config["m.homeserver"];
  return { state, error: error ?? null, baseUrl: baseUrl ?? null };
}

/** Make an account, with a registration token where the server asks for one. */
export async function register(baseUrl, name, newPassword, token) {
  const answers = {
    "m.login.dummy": {},
    "m.login.registration_token": { token },
    "m.login.terms": {},
  };
  const anonymous = createClient({ baseUrl, fetchFn: fetchPatiently });
  let auth;
  for (;;) {
    try {
      const session = await anonymous.registerRequest({ username: name, password: newPassword, auth });
      return await start(baseUrl, session, newPassword);
    } catch (error) {
      if (!(error instanceof MatrixError) || error.httpStatus !== 401 || error.errcode) throw error;
      const { flows, completed = [], session } = error.data;
      const type = flows[0].stages.find((stage) => !completed.includes(stage));
      auth = { type, session, ...answers[type] };
    }
  }
}

/** Log in on a new device. */
export async function logIn(baseUrl, name, itsPassword) {
  const session = await createClient({ baseUrl, fetchFn: fetchPatiently }).loginRequest({
    type: "m.login.password",
    identifier: { type: "m.id.user", user: name },
    password: itsPassword,
  });
  return start(baseUrl, session, itsPassword);
}

async function start(baseUrl, session, itsPassword) {
  password = itsPassword;
  client = createClient({
    baseUrl,
    fetchFn: fetchPatiently,
    accessToken: session.access_token,
    userId: session.user_id,
    deviceId: session.device_id,
    cryptoCallbacks: {
      getSecretStorageKey: async ({ keys }) => {
        const keyId = secretStorageKey[0] ?? Object.keys(keys)[0];
        return [keyId, secretStorageKey[1]];
      },
      cacheSecretStorageKey: (keyId, _description, key) => {
        secretStorageKey = [keyId, key];
      },
    },
  });
  await client.initRustCrypto();
  const synced = new Promise((resolve) => {
    client.on(ClientEvent.Sync, (state) => state === "PREPARED" && resolve());
  });
  await client.startClient({ initialSyncLimit: 50 });
  await synced;
  return { userId: session.user_id, deviceId: session.device_id };
}

/** Make the keys by which others know one's devices, and keep them on the server, encrypted. */
export async function setUpRecovery() {
  const crypto = client.getCrypto();
  await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: proveWithPassword });
  const recoveryKey = await crypto.createRecoveryKeyFromPassphrase();
  await crypto.bootstrapSecretStorage({
    createSecretStorageKey: async () => recoveryKey,
    setupNewSecretStorage: true,
    setupNewKeyBackup: true,
  });
  return recoveryKey.encodedPrivateKey;
}

async function proveWithPassword(makeRequest) {
  try {
    return await makeRequest(null);
  } catch (error) {
    const identifier = { type: "m.id.user", user: client.getUserId() };
    const session = error.data?.session;
    return makeRequest({ type: "m.login.password", identifier, password, session });
  }
}

/** Use the recovery key on a new device: it becomes trusted and can read what was said before. */
export async function recover(recoveryKey) {
  const crypto = client.getCrypto();
  secretStorageKey = [undefined, decodeRecoveryKey(recoveryKey)];
  await crypto.userHasCrossSigningKeys(client.getUserId(), true); // asks for the public ones
  await crypto.bootstrapCrossSigning({});
  await crypto.loadSessionBackupPrivateKeyFromSecretStorage();
  const { imported } = await crypto.restoreKeyBackup();
  return imported;
}

/** Return how a device of somebody looks from here. */
export async function trustOf(userId, deviceId) {
  const crypto = client.getCrypto();
  const known = await crypto.getUserDeviceInfo([userId], true);
  if (!known.get(userId)?.has(deviceId)) return null;
  const status = await crypto.getDeviceVerificationStatus(userId, deviceId);
  return { signedByOwner: status.signedByOwner, crossSigned: status.crossSigningVerified };
}

/** Return how many keys of messages the server keeps for this account. */
export async function countBackedUpKeys() {
  const prefix = "/_matrix/client/v3"; // the library's own answer is the one of the set-up
  const path = "/room_keys/version";
  return (await client.http.authedRequest("GET", path, undefined, undefined, { prefix })).count;
}

export async function createEncryptedRoom(invited) {
  const { room_id: roomId } = await client.createRoom({
    preset: "private_chat",
    invite: invited,
    initial_state: [
      { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } },
    ],
  });
  await until(() => client.getRoom(roomId)?.hasEncryptionStateEvent());
  return roomId;
}

export async function join(roomId) {
  await until(() => client.getRoom(roomId)?.getMyMembership() === "invite");
  await client.joinRoom(roomId);
  await until(() => client.getRoom(roomId)?.getMyMembership() === "join");
}

/** Wait until somebody is in a room as seen from here, so that keys are shared with them. */
export async function waitForMember(roomId, userId) {
  await until(() => client.getRoom(roomId)?.getMember(userId)?.membership === "join");
}

export async function sendText(roomId, body) {
  return (await client.sendTextMessage(roomId, body)).event_id;
}

/** Encrypt a file, upload it and send it. `content` is base64. */
export async function sendFile(roomId, name, content) {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const { data, info } = await encryptAttachment(bytes.buffer);
  const { content_uri: url } = await uploadPatiently(new Blob([data]), {
    type: "application/octet-stream",
    includeFilename: false,
  });
  const message = { msgtype: "m.file", body: name, info: { size: bytes.length }, file: { ...info, url } };
  return (await client.sendMessage(roomId, message)).event_id;
}

/** Return the messages of a room as this device can read them; null for what it cannot read. */
export async function readMessages(roomId) {
  const room = client.getRoom(roomId);
  await client.scrollback(room, 100);
  const events = room.getLiveTimeline().getEvents();
  const messages = events.filter((event) => event.isEncrypted() || event.getType() === "m.room.message");
  return messages.map((event) => ({
    sender: event.getSender(),
    encrypted: event.isEncrypted(),
    body: event.isDecryptionFailure() ? null : event.getContent().body ?? null,
  }));
}

export async function waitForMessage(roomId, body) {
  await until(() => findMessage(roomId, body));
}

/** Download the file of a message and decrypt it. Returns base64. */
export async function readFile(roomId, name) {
  await until(() => findMessage(roomId, name));
  const { file } = findMessage(roomId, name).getContent();
  const address = client.mxcUrlToHttp(file.url, undefined, undefined, undefined, false, true, true);
  const response = await fetchPatiently(address, {
    headers: { Authorization: `Bearer ${client.getAccessToken()}` },
  });
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  const plain = new Uint8Array(await decryptAttachment(await response.arrayBuffer(), file));
  return btoa(Array.from(plain, (byte) => String.fromCharCode(byte)).join(""));
}

function findMessage(roomId, body) {
  const events = client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? [];
  return events.find((event) => !event.isDecryptionFailure() && event.getContent().body === body);
}

async function until(condition) {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in ${PATIENCE_MILLISECONDS} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
