// A log-in from Node with matrix-js-sdk, from nothing but a user ID and a password: finds the server
// by its name, logs in, makes a room and reads what it sent. Prints one line of JSON at its end.

import { AutoDiscovery, ClientEvent, createClient } from "matrix-js-sdk";

// The library asks for a newer Node than Debian's.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((...given) => ([resolve, reject] = given));
  return { promise, resolve, reject };
};

const [userId, password] = process.argv.slice(2);
const serverName = userId.slice(userId.indexOf(":") + 1);

const found = (await AutoDiscovery.findClientConfig(serverName))["m.homeserver"];
if (found.state !== "SUCCESS") throw new Error(`${serverName}: ${found.error}`);
const session = await createClient({ baseUrl: found.base_url }).loginRequest({
  type: "m.login.password",
  identifier: { type: "m.id.user", user: userId },
  password,
});
const client = createClient({
  baseUrl: found.base_url,
  accessToken: session.access_token,
  userId: session.user_id,
  deviceId: session.device_id,
});
const synced = new Promise((resolve) => {
  client.on(ClientEvent.Sync, (state) => state === "PREPARED" && resolve());
});
await client.startClient();
await synced;
const { room_id: roomId } = await client.createRoom({ name: "first" });
const { event_id: eventId } = await client.sendTextMessage(roomId, "hello");
const { content } = await client.fetchRoomEvent(roomId, eventId);
client.stopClient();
console.log(JSON.stringify({ baseUrl: found.base_url, userId: session.user_id, said: content.body }));
process.exit(0);
