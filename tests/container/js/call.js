// One device of one person in calls: straight into LiveKit, or as the smallest client that can hold
// Element Call as a widget, with everything that is secret in it really encrypted.

import { Room as LiveKitRoom, Track } from "livekit-client";
import { ClientEvent, RoomStateEvent } from "matrix-js-sdk";
import { ClientWidgetApi, OpenIDRequestState, Widget, WidgetDriver } from "matrix-widget-api";
import { client } from "./person.js";

export * from "./person.js";

const MSC4140 = "/_matrix/client/unstable/org.matrix.msc4140";
const SMALL = { resolution: { width: 320, height: 180, frameRate: 10 } };

let sfu;

/** Enter a room of LiveKit with a token, sending a picture and a sound. */
export async function enter(url, jwt) {
  sfu = new LiveKitRoom({ dynacast: false, adaptiveStream: false });
  window.ended = false;
  sfu.on("disconnected", () => (window.ended = true));
  sfu.on("trackSubscribed", (track) => document.body.append(track.attach()));
  await sfu.connect(url, jwt);
  await sfu.localParticipant.setCameraEnabled(true, SMALL);
  await sfu.localParticipant.setMicrophoneEnabled(true);
}

/** Return the frames decoded of everybody's picture, by their identity. */
export async function seenFrames() {
  const seen = {};
  for (const person of sfu.remoteParticipants.values()) {
    const track = person.getTrackPublication(Track.Source.Camera)?.track;
    const report = track?.receiver ? await track.receiver.getStats() : [];
    seen[person.identity] = 0;
    report.forEach((row) => {
      if (row.type === "inbound-rtp") seen[person.identity] += row.framesDecoded;
    });
  }
  return seen;
}

/** Make a request of Matrix as this device does. */
export async function ask(method, path, body, query) {
  return client.http.authedRequest(method, path, query, body, { prefix: "" });
}

/** Return a token by which others learn from our server who this is. */
export async function openIdToken() {
  return client.getOpenIdToken();
}

/** Wait for nothing: stop without a word, as a device does whose battery is empty. */
export async function vanish() {
  client.stopClient();
}

class Driver extends WidgetDriver {
  constructor(roomId) {
    super();
    this.roomId = roomId;
  }
  async validateCapabilities(requested) {
    return requested;
  }
  async sendEvent(type, content, stateKey) {
    const sent =
      stateKey == null
        ? await client.sendEvent(this.roomId, type, content)
        : await client.sendStateEvent(this.roomId, type, content, stateKey);
    return { roomId: this.roomId, eventId: sent.event_id };
  }
  async sendDelayedEvent(delay, type, content, stateKey) {
    const [room, kind, key] = [this.roomId, type, stateKey ?? ""].map(encodeURIComponent);
    const path = `/_matrix/client/v3/rooms/${room}/state/${kind}/${key}`;
    const sent = await ask("PUT", path, content, { "org.matrix.msc4140.delay": delay });
    log.push(`leave in ${delay}`);
    return { roomId: this.roomId, delayId: sent.delay_id };
  }
  async manage(delayId, action) {
    await ask("POST", `${MSC4140}/delayed_events/${encodeURIComponent(delayId)}/${action}`, {});
  }
  cancelScheduledDelayedEvent(delayId) {
    return this.manage(delayId, "cancel");
  }
  restartScheduledDelayedEvent(delayId) {
    return this.manage(delayId, "restart");
  }
  sendScheduledDelayedEvent(delayId) {
    return this.manage(delayId, "send");
  }
  async sendToDevice(type, encrypted, messages) {
    for (const [userId, devices] of Object.entries(messages)) {
      for (const [deviceId, content] of Object.entries(devices)) {
        log.push(`to ${userId} ${deviceId}: ${type}${encrypted ? "" : " in clear"}`);
        if (!encrypted) throw new Error(`${type} would be sent in clear`);
        await client.encryptAndSendToDevice(type, [{ userId, deviceId }], content);
      }
    }
  }
  async readRoomState(_roomId, type, stateKey) {
    const state = client.getRoom(this.roomId).currentState;
    const found = stateKey === undefined ? state.getStateEvents(type) : [state.getStateEvents(type, stateKey)];
    return found.filter(Boolean).map((event) => event.getEffectiveEvent());
  }
  readStateEvents(type, stateKey) {
    return this.readRoomState(this.roomId, type, stateKey);
  }
  async readRoomTimeline() {
    return [];
  }
  async readRoomEvents() {
    return [];
  }
  async readStickyEvents() {
    return [];
  }
  async readEventRelations() {
    return { chunk: [] };
  }
  getKnownRooms() {
    return [this.roomId];
  }
  askOpenID(observer) {
    client.getOpenIdToken().then((token) => observer.update({ state: OpenIDRequestState.Allowed, token }));
  }
  async getRtcTransports() {
    return ask("GET", "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports");
  }
  async *getTurnServers() {}
}

export const log = [];
window.callLog = log;

/** Open Element Call for a room and enter the call at once, encrypted among its members. */
export async function openElementCall(roomId) {
  const given = new URLSearchParams({
    widgetId: "call",
    parentUrl: location.href,
    roomId,
    userId: client.getUserId(),
    deviceId: client.getDeviceId(),
    baseUrl: client.getHomeserverUrl(),
    intent: "join_existing",
    skipLobby: true,
    confineToRoom: true,
    perParticipantE2EE: true,
    header: "none",
    lang: "en",
  });
  const url = `${location.origin}/test-client/element-call/index.html#?${given}`;
  const frame = document.createElement("iframe");
  Object.assign(frame, { allow: "camera;microphone;autoplay", width: 900, height: 650 });
  document.body.append(frame);
  const creatorUserId = client.getUserId();
  const widget = new Widget({ id: "call", creatorUserId, type: "m.custom", url, waitForIframeLoad: false });
  const api = new ClientWidgetApi(widget, frame, new Driver(roomId));
  api.setViewedRoomId(roomId);
  for (const action of ["io.element.join", "io.element.device_mute", "io.element.close", "im.vector.hangup", "set_always_on_screen"])
    api.on(`action:${action}`, (event) => {
      log.push(action);
      event.preventDefault();
      api.transport.reply(event.detail, {});
    });
  const ofRoom = (event) => event.getRoomId() === roomId;
  client.on(RoomStateEvent.Events, (event) => ofRoom(event) && api.feedStateUpdate(event.getEffectiveEvent()));
  client.on(ClientEvent.Event, (event) => ofRoom(event) && api.feedEvent(event.getEffectiveEvent(), roomId));
  client.on(ClientEvent.ReceivedToDeviceMessage, ({ message, encryptionInfo }) => {
    log.push(`got ${message.type}${encryptionInfo ? "" : " in clear"}`);
    api.feedToDevice(message, encryptionInfo != null);
  });
  frame.src = url;
}
