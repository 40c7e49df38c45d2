import type { ComponentChildren } from "preact";
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { FILE_BYTES_MAX } from "../../flow/file-limit.ts";
import type { Block, Frame, View } from "../../flow/screen.ts";

interface Typing {
  readonly values: Readonly<Record<string, string>>;
  readonly typed: (name: string, value: string) => void;
  /** In base64; undefined where what was chosen cannot be taken. */
  readonly chosen: (name: string, base64: string | undefined) => void;
}

/** Draws what a screen is made of. */
export function Blocks({ view, ...typing }: { readonly view: View } & Typing) {
  return (
    <>
      {view.blocks.map((block, index) => (
        <One
          key={"name" in block ? `${view.step} ${block.name}` : index}
          {...{ block, frame: view.frame }}
          {...typing}
        />
      ))}
    </>
  );
}

function One({
  block,
  frame,
  values,
  typed,
  chosen,
}: { readonly block: Block; readonly frame: Frame } & Typing) {
  switch (block.kind) {
    case "text":
      return <p>{block.text}</p>;
    case "note":
      return (
        <div class={`note ${block.tone}`} role={block.tone === "bad" ? "alert" : "status"}>
          <strong>{frame.toneWords[block.tone]}</strong> {block.text}
          {block.detail !== undefined && <p class="detail">{block.detail}</p>}
        </div>
      );
    case "facts":
      return (
        <dl>
          {block.rows.map(({ label, value }) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      );
    case "findings":
      return (
        <section>
          <h3>{block.title}</h3>
          <ul class="findings">
            {block.rows.map(({ tone, label, text }) => (
              <li key={label} class={tone}>
                <strong>{frame.toneWords[tone]}</strong> {label}
                {text !== "" && <p class="detail">{text}</p>}
              </li>
            ))}
          </ul>
        </section>
      );
    case "input": {
      const { name, type, hint, isOptional = false } = block;
      const field = {
        id: name,
        inputMode: type === "number" ? "decimal" : "text",
        "aria-describedby": hint === undefined ? undefined : `${name}-hint`,
        autocomplete: "off",
        spellcheck: false,
        required: !isOptional,
        value: values[name] ?? block.value ?? "",
        onInput: (event: { readonly currentTarget: HTMLInputElement }) =>
          typed(name, event.currentTarget.value),
      } as const;
      return (
        <Labelled {...{ block, frame }}>
          {type === "secret" ? <input type="password" {...field} /> : <input type="text" {...field} />}
        </Labelled>
      );
    }
    case "file":
      return <FileField {...{ block, frame, chosen }} />;
    case "choice": {
      const { name, label, options } = block;
      const chosen = values[name] ?? block.value;
      return (
        <fieldset>
          <legend>{label}</legend>
          {options.map(({ value, label: option, detail }) => (
            <label key={value} class="option">
              <input
                type="radio"
                name={name}
                value={value}
                checked={chosen === value}
                onChange={() => typed(name, value)}
              />
              <span>
                {option}
                {detail !== undefined && <small>{detail}</small>}
              </span>
            </label>
          ))}
        </fieldset>
      );
    }
    case "now":
      return null;
    case "copy":
      return <Copy {...block} frame={frame} />;
    case "picture":
      return (
        // The picture is the program's own drawing.
        <figure role="img" aria-label={block.text} dangerouslySetInnerHTML={{ __html: block.svg }} />
      );
    case "files":
      break;
  }
  return (
    <section>
      <h3>{block.title}</h3>
      <ul>
        {block.rows.map(({ label, name }) => (
          <li key={name}>
            <a href={`/api/files/${name}`} download={name}>
              {label}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

const copied = signal<string | undefined>(undefined);

function Copy({
  label,
  text,
  frame,
}: {
  readonly label: string;
  readonly text: string;
  readonly frame: Frame;
}) {
  return (
    <section>
      <h3>{label}</h3>
      <pre tabIndex={0}>{text}</pre>
      <button type="button" onClick={() => void copy(text)}>
        {copied.value === text ? frame.copied : frame.copy}
      </button>
    </section>
  );
}

async function copy(text: string): Promise<void> {
  // A page without TLS has no clipboard of its own: the text is marked, and the phone's own way of copying does the rest.
  if (navigator.clipboard === undefined) {
    const shown = [...document.querySelectorAll("pre")].find(({ textContent }) => textContent === text);
    if (shown !== undefined) {
      getSelection()?.selectAllChildren(shown);
      document.execCommand("copy");
    }
  } else await navigator.clipboard.writeText(text);
  copied.value = text;
}

/** What a field is for, and whether it may be left empty, before the field. */
function Labelled({
  block: { name, label, hint, isOptional = false },
  frame,
  children,
}: {
  readonly block: Extract<Block, { kind: "input" | "file" }>;
  readonly frame: Frame;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="field">
      <label for={name}>
        {label}
        {isOptional && <small> {frame.optional}</small>}
      </label>
      {hint !== undefined && <p id={`${name}-hint`}>{hint}</p>}
      {children}
    </div>
  );
}

function FileField({
  block,
  frame,
  chosen,
}: {
  readonly block: Extract<Block, { kind: "file" }>;
  readonly frame: Frame;
  readonly chosen: Typing["chosen"];
}) {
  const { name, hint, accept, isOptional = false } = block;
  const [problem, setProblem] = useState<string>();
  // A field that is gone takes its file along.
  useEffect(() => () => chosen(name, undefined), []);
  const choose = async (file: File | undefined): Promise<void> => {
    chosen(name, undefined);
    setProblem(undefined);
    if (file === undefined) return;
    if (file.size > FILE_BYTES_MAX) return setProblem(frame.tooLarge);
    try {
      chosen(name, btoa(String.fromCharCode(...new Uint8Array(await file.arrayBuffer()))));
    } catch {
      setProblem(frame.unreadable);
    }
  };
  return (
    <Labelled {...{ block, frame }}>
      <input
        type="file"
        id={name}
        accept={accept}
        required={!isOptional}
        aria-describedby={hint === undefined ? undefined : `${name}-hint`}
        onChange={({ currentTarget }) => void choose(currentTarget.files?.[0])}
      />
      {problem !== undefined && (
        <p class="note bad" role="alert">
          {problem}
        </p>
      )}
    </Labelled>
  );
}
