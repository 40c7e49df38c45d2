import { Heartbeat } from "@coalmine/contract";
import { generate, parser, type Packet } from "mqtt-packet";
import * as z from "zod";
import { rowsIn } from "../../simulator/fleet/evidence/lake.ts";
import { Points } from "../../simulator/fleet/evidence/points.ts";
import { secretSearch } from "../../simulator/fleet/evidence/secrets.ts";

const Heard = z.compile(Heartbeat);
const columns = ["thing", "instrument", "boot", "sequence", "channel", "model_sha256"];

/**
 * What any simulator has to do with what leaves a device, since heartbeats go by MQTT, every point is looked for and no log
 * line may hold a secret: each heartbeat as a packet, its answer as another, both written and read; what it says, read; each
 * object, read point by point; each line, searched.
 */
export class LeastCloud {
  readonly #device = parser({ protocolVersion: 5 });
  readonly #broker = parser({ protocolVersion: 5 });
  readonly #holdsSecret = secretSearch([]);
  #acknowledged = 0;
  points = 0;

  constructor() {
    this.#broker.on("packet", (packet: Packet) => {
      if (packet.cmd !== "publish") return;
      Heard.parse(JSON.parse(packet.payload.toString()));
      this.#device.parse(write({ cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0 }));
    });
    this.#device.on("packet", () => void this.#acknowledged++);
  }

  hear(topic: string, payload: Uint8Array): void {
    const before = this.#acknowledged;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#broker.parse(
      write({ cmd: "publish", topic, payload: bytes, qos: 1, dup: false, retain: false, messageId: 1 }),
    );
    if (this.#acknowledged === before) throw new Error("a heartbeat was not acknowledged");
  }

  search(line: string): void {
    if (this.#holdsSecret(line)) throw new Error("a log line holds a secret");
  }

  async take(body: Uint8Array): Promise<void> {
    const seen = new Points();
    for (const { sequence, channel } of await rowsIn(new Uint8Array(body), columns))
      seen.add(Number(sequence), String(channel));
    this.points += seen.size;
  }
}

function write(packet: Packet): Buffer {
  return generate(packet, { protocolVersion: 5 });
}
