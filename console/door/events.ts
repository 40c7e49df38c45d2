/** One event of a stream. `id` stays that of the event before where it has none of its own. */
export interface StreamEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/**
 * The events of a `text/event-stream`, however its bytes are cut. `EventSource` would read it too, but shows neither
 * beats nor refusals, and sends no header.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export async function* readEvents(bytes: ReadableStream<Uint8Array>, id = ""): AsyncGenerator<StreamEvent> {
  const reader = bytes.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      // A return at the end may be half of one that ends a line.
      const text = rest.endsWith("\r") ? rest.slice(0, -1) : rest;
      const blocks = text.replaceAll(/\r\n?/g, "\n").split("\n\n");
      rest = (blocks.pop() ?? "") + rest.slice(text.length);
      for (const block of blocks) {
        const event = readBlock(block, id);
        id = event.id;
        yield event;
      }
    }
  } finally {
    // The stream may already be cut: then there is nothing to give back.
    await reader.cancel().catch(() => undefined);
  }
}

function readBlock(block: string, before: string): StreamEvent {
  let [event, id] = ["message", before];
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field = "", value = ""] = /^([^:]+)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === "event") event = value;
    if (field === "id") id = value;
    if (field === "data") data.push(value);
  }
  return { event, id, data: data.join("\n") };
}
