import fc from "fast-check";
import { expect, test } from "vitest";
import { readEvents, type StreamEvent } from "./events.ts";

const told =
  'event: place\nid: a=1\ndata: \n\n:beat\n\nevent: entry\r\nid: a=2\r\ndata: {"ü":1}\r\n\r\nevent: beat\ndata: x\ndata: y\n\n';

test("a stream's events are the same however its bytes are cut, and the id of the last one stays", async () => {
  const bytes = new TextEncoder().encode(told);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
      const ends = [...new Set([0, ...cuts, bytes.length])].sort((a, b) => a - b);
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          ends.slice(1).forEach((end, index) => controller.enqueue(bytes.slice(ends[index], end)));
          controller.close();
        },
      });
      const events: StreamEvent[] = [];
      for await (const event of readEvents(stream)) events.push(event);
      expect(events.map(({ event, id, data }) => [event, id, data])).toEqual([
        ["place", "a=1", ""],
        ["message", "a=1", ""],
        ["entry", "a=2", '{"ü":1}'],
        ["beat", "a=2", "x\ny"],
      ]);
    }),
  );
});
