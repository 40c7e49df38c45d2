import { signal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { View } from "../../flow/screen.ts";
import { Blocks } from "./blocks.tsx";
import { type Told, Touch } from "./touch.ts";

const told = signal<Told>({ kind: "loading" });
const values = signal<Readonly<Record<string, string>>>({});
const files = signal<Readonly<Record<string, string>>>({});
const touch = new Touch((next) => {
  const before = told.value;
  // What was typed belongs to the step that it was typed into.
  if (next.kind === "view" && (before.kind !== "view" || before.view.step !== next.view.step)) {
    values.value = {};
    files.value = {};
  }
  told.value = next;
});

function App() {
  const now = told.value;
  if (now.kind === "loading") return <main aria-busy="true" />;
  if (now.kind === "locked") return <Door {...now} />;
  return <Way view={now.view} problem={now.problem} isLost={now.isLost} />;
}

function Problem({ text }: { readonly text: string | undefined }) {
  return text === undefined ? null : (
    <p class="note bad" role="alert">
      {text}
    </p>
  );
}

/** Whoever stands before the device can read its code; whoever is only in the same network cannot. */
function Door({ title, ask, open, problem }: Extract<Told, { kind: "locked" }>) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <main>
      <h1>{title}</h1>
      <Problem text={problem} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void touch.enter(field.current?.value ?? "");
        }}
      >
        <label for="code">{ask}</label>
        <input
          id="code"
          ref={field}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          required
        />
        <button class="primary">{open}</button>
      </form>
    </main>
  );
}

function Way({
  view,
  problem,
  isLost,
}: {
  readonly view: View;
  readonly problem: string | undefined;
  readonly isLost: boolean;
}) {
  const title = useRef<HTMLHeadingElement>(null);
  const { frame, step, language, steps, buttons, isBusy } = view;
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = `${view.title} – ${frame.program}`;
  }, [language, view.title]);
  // Whoever hears the page, or works by keys, goes on at the top of the new step.
  useEffect(() => title.current?.focus(), [step]);
  const act = (action: string): void =>
    void touch.act({ step, action, values: given(view), files: chosenFor(view) });
  return (
    <>
      <header>
        <h1>{frame.program}</h1>
        <nav aria-label={frame.steps}>
          <ol>
            {steps.map(({ name, title: label, state, stateText, isCurrent }, index) => (
              <li key={name} class={state}>
                <button
                  type="button"
                  aria-current={isCurrent ? "step" : undefined}
                  aria-label={`${index + 1}. ${label}: ${stateText}`}
                  onClick={() => void touch.go(name)}
                >
                  <span aria-hidden="true">{marks[state] ?? index + 1}</span>
                </button>
              </li>
            ))}
          </ol>
        </nav>
      </header>
      <main aria-busy={isBusy}>
        <h2 ref={title} tabIndex={-1}>
          {view.title}
        </h2>
        {isLost && (
          <p class="note warn" role="alert">
            {frame.lostTouch}
          </p>
        )}
        <Problem text={problem} />
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const [first] = buttons;
            if (first !== undefined && !isBusy) act(first.action);
          }}
        >
          <Blocks view={view} values={values.value} typed={typed} chosen={chosen} />
          <div class="buttons">
            {buttons.map(({ action, label, kind }, index) => (
              <button
                key={action}
                class={kind}
                type={index === 0 ? "submit" : "button"}
                disabled={isBusy}
                onClick={index === 0 ? undefined : () => act(action)}
              >
                {label}
              </button>
            ))}
          </div>
        </form>
      </main>
    </>
  );
}

const marks: Readonly<Record<string, string>> = { done: "✓", skipped: "–", later: "…" };

function typed(name: string, value: string): void {
  values.value = { ...values.value, [name]: value };
}

function chosen(name: string, base64: string | undefined): void {
  const { [name]: _before, ...others } = files.value;
  files.value = base64 === undefined ? others : { ...others, [name]: base64 };
}

/** Only of the blocks that are shown. */
function chosenFor({ blocks }: View): Record<string, string> {
  const names = new Set(blocks.flatMap((block) => (block.kind === "file" ? [block.name] : [])));
  return Object.fromEntries(Object.entries(files.value).filter(([name]) => names.has(name)));
}

/** What was typed or chosen, and where nothing was, what the screen began with. */
function given({ blocks }: View): Record<string, string> {
  const fields = blocks.filter((block) => block.kind === "input" || block.kind === "choice");
  const now = blocks
    .filter((block) => block.kind === "now")
    .map(({ name }) => [name, String(new Date().getTime())]);
  return Object.fromEntries([
    ...fields.map(({ name, value = "" }) => [name, values.value[name] ?? value]),
    ...now,
  ]);
}

const place = document.getElementById("app");
if (place === null) throw new Error("the page has no place for its app");
render(<App />, place);
touch.begin();
