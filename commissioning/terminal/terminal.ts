import type { Flow } from "../flow/flow.ts";
import { FlowError } from "../flow/flow.ts";
import { FILE_BYTES_MAX } from "../flow/file-limit.ts";
import { type Block, type Button, type Deed, stepNames, type View } from "../flow/screen.ts";

/** The end of a terminal that this draws on, and asks by. */
export interface Console {
  write(text: string): void;
  /** The line that was typed; a secret is not shown. Undefined where the input has ended. */
  ask(prompt: string, isSecret: boolean): Promise<string | undefined>;
  /** A file of this machine; undefined where it cannot be read. */
  read(path: string): Promise<Uint8Array | undefined>;
}

/**
 * The same way as the page's, line by line. Resolves when everything is done and shown, or the input has ended; what was
 * done is kept either way.
 */
export async function walk(flow: Flow, console: Console): Promise<"finished" | "left"> {
  const drawn = new Progress(console);
  const watching = flow.watch((view) => drawn.see(view));
  try {
    for (;;) {
      const { view } = flow;
      console.write(shown(view));
      if (view.steps.every(({ state }) => state !== "open") && view.step === stepNames.at(-1))
        return "finished";
      const deed = await asked(view, console);
      if (deed === undefined) return "left";
      if (deed === "again") continue;
      try {
        drawn.begin();
        await flow.act(deed);
      } catch (failure) {
        if (!(failure instanceof FlowError)) throw failure;
        console.write(`${failure.sentence}\n`);
      }
    }
  } finally {
    watching.unwatch();
  }
}

/** What was pressed, with what was asked for; `again` where the number was none. */
async function asked(view: View, console: Console): Promise<Deed | "again" | undefined> {
  const button = await pressed(view.buttons, console);
  if (button === undefined || button === "again") return button;
  const values: Record<string, string> = {};
  const files: Record<string, string> = {};
  // Only the first button sends a form; the others stand beside it.
  if (button === view.buttons[0])
    for (const block of view.blocks) {
      const value =
        block.kind === "file" ? await fileOf(block, view, console) : await valueOf(block, view, console);
      if (value === undefined) return undefined;
      if (value !== null) (block.kind === "file" ? files : values)[value.name] = value.text;
    }
  return { step: view.step, action: button.action, values, files };
}

async function pressed(buttons: readonly Button[], console: Console): Promise<Button | "again" | undefined> {
  for (const [index, { label }] of buttons.entries()) console.write(`  [${index + 1}] ${label}\n`);
  const line = await console.ask("> ", false);
  if (line === undefined) return undefined;
  return buttons[(line.trim() === "" ? 1 : Number(line)) - 1] ?? "again";
}

/** In base64. Asked for again until it can be read; an empty line names none. */
async function fileOf(
  { name, label, hint = "", isOptional = false }: Extract<Block, { kind: "file" }>,
  { frame }: View,
  console: Console,
): Promise<{ readonly name: string; readonly text: string } | null | undefined> {
  const prompt = [label, isOptional ? frame.optional : "", hint].filter((part) => part !== "").join(" ");
  for (;;) {
    const path = await console.ask(`${prompt}: `, false);
    if (path === undefined) return undefined;
    if (path.trim() === "") return null;
    const bytes = await console.read(path.trim());
    if (bytes !== undefined && bytes.length <= FILE_BYTES_MAX)
      return { name, text: Buffer.from(bytes).toString("base64") };
    console.write(`${bytes === undefined ? frame.unreadable : frame.tooLarge}\n`);
  }
}

/** Null for what asks nothing. An empty line keeps what stands there. */
async function valueOf(
  block: Block,
  { frame }: View,
  console: Console,
): Promise<{ readonly name: string; readonly text: string } | null | undefined> {
  if (block.kind === "input") {
    const { name, label, hint, value, type, isOptional = false } = block;
    const more = [isOptional ? frame.optional : "", hint ?? "", value === undefined ? "" : `[${value}]`];
    const prompt = [label, ...more.filter((part) => part !== "")].join(" ");
    const line = await console.ask(`${prompt}: `, type === "secret");
    return line === undefined ? undefined : { name, text: line === "" ? (value ?? "") : line };
  }
  if (block.kind === "now") {
    const line = await console.ask(`${block.label}: `, false);
    return line === undefined ? undefined : { name: block.name, text: line };
  }
  if (block.kind === "choice") {
    const { name, label, options, value } = block;
    for (const [index, option] of options.entries())
      console.write(
        `  ${index + 1}) ${option.label}${option.detail === undefined ? "" : ` – ${option.detail}`}\n`,
      );
    const line = await console.ask(`${label}: `, false);
    return line === undefined ? undefined : { name, text: options[Number(line) - 1]?.value ?? value ?? "" };
  }
  return null;
}

/** What changes while something is under way: each statement once. */
class Progress {
  readonly #console: Console;
  #said = new Set<string>();

  constructor(console: Console) {
    this.#console = console;
  }

  begin(): void {
    this.#said = new Set();
  }

  see({ blocks, isBusy, frame }: View): void {
    if (!isBusy) return;
    for (const block of blocks) {
      if (block.kind !== "note" && block.kind !== "findings") continue;
      for (const line of told(block, frame)) {
        if (this.#said.has(line)) continue;
        this.#said.add(line);
        this.#console.write(`${line}\n`);
      }
    }
  }
}

function shown({ title, steps, blocks, frame }: View): string {
  const at = steps.findIndex(({ isCurrent }) => isCurrent);
  const lines = blocks.flatMap((block) => told(block, frame));
  return ["", `${at + 1}/${steps.length} ${title}`, ...lines, ""].join("\n");
}

function told(block: Block, { toneWords }: View["frame"]): readonly string[] {
  switch (block.kind) {
    case "text":
      return [block.text];
    case "note":
      return [
        `${toneWords[block.tone]} ${block.text}`.trim(),
        ...(block.detail === undefined ? [] : [`  ${block.detail}`]),
      ];
    case "facts":
      return block.rows.map(({ label, value }) => `  ${label}: ${value}`);
    case "findings":
      return [
        block.title,
        ...block.rows.map(({ tone, label, text }) =>
          [toneWords[tone], label, text].filter((part) => part !== "").join(" "),
        ),
      ];
    case "copy":
      return [block.label, ...block.text.split("\n").map((line) => `  | ${line}`)];
    case "picture":
      return [block.text];
    case "files":
      return [block.title, ...block.rows.map(({ label, name }) => `  ${label}: ${name}`)];
    case "input":
    case "file":
    case "now":
    case "choice":
      break;
  }
  // These are asked for.
  return [];
}
