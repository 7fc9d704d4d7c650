// SPDX-License-Identifier: MIT
//
// stream_worker.ts: one stream for all tabs of a browser.
import { Hub, type FromHub, type ToHub } from "./hub";

const ports = new Set<MessagePort>();
const hub = new Hub((m: FromHub) => {
  for (const port of ports) port.postMessage(m);
});

const drop = (port: MessagePort) => {
  ports.delete(port);
  hub.leave(port);
};

(self as unknown as { onconnect: (e: MessageEvent) => void }).onconnect = (e) => {
  const port = e.ports[0]!;
  ports.add(port);
  port.onmessage = (message: MessageEvent<ToHub>) => {
    const m = message.data;
    if (m.kind === "bye") drop(port);
    else if (m.kind === "again") hub.again();
    else {
      ports.add(port);
      hub.subscribe(port, m.topics);
    }
  };
  port.addEventListener("close", () => drop(port));
};
