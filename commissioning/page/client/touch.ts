import type { Deed, StepName, View } from "../../flow/screen.ts";

/** What the page knows of the device. */
export type Told =
  | { readonly kind: "loading" }
  | {
      readonly kind: "locked";
      readonly title: string;
      readonly ask: string;
      readonly open: string;
      readonly problem: string | undefined;
    }
  | {
      readonly kind: "view";
      readonly view: View;
      readonly problem: string | undefined;
      /** Nothing was heard of the device for a while; what is shown may be old. */
      readonly isLost: boolean;
    };

const AGAIN_MS = 2000;

/** The page's end of the device's doors. */
export class Touch {
  readonly #tell: (told: Told) => void;
  #told: Told = { kind: "loading" };
  #stream: EventSource | undefined;

  constructor(tell: (told: Told) => void) {
    this.#tell = tell;
  }

  begin(): void {
    void this.#look();
  }

  async enter(code: string): Promise<void> {
    const answer = await this.#ask("POST", "enter", { code });
    if (answer?.ok === true) await this.#look();
    else if (answer !== undefined) await this.#lock(answer);
  }

  async act(deed: Deed): Promise<void> {
    await this.#did(await this.#ask("POST", "act", deed));
  }

  async go(step: StepName): Promise<void> {
    await this.#did(await this.#ask("POST", "go", { step }));
  }

  async #did(answer: Response | undefined): Promise<void> {
    if (answer === undefined || this.#told.kind !== "view") return;
    if (answer.status === 401) return this.#lock(answer);
    if (!answer.ok) this.#show({ ...this.#told, problem: await sentence(answer) });
  }

  async #look(): Promise<void> {
    const answer = await this.#ask("GET", "view");
    if (answer === undefined) setTimeout(() => void this.#look(), AGAIN_MS);
    else if (answer.status === 401) await this.#lock(answer);
    else {
      this.#seen(await answer.json());
      this.#listen();
    }
  }

  #listen(): void {
    this.#stream?.close();
    const stream = new EventSource("/api/events");
    this.#stream = stream;
    stream.addEventListener("view", ({ data }) => this.#seen(JSON.parse(String(data))));
    stream.addEventListener("error", () => {
      if (this.#told.kind === "view") this.#show({ ...this.#told, isLost: true });
      // The browser itself tries again after a break, but not after a refusal.
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => void this.#look(), AGAIN_MS);
    });
  }

  /** Device and page are of one release: what it sends is a view. */
  #seen(view: View): void {
    const before = this.#told;
    const isSame = before.kind === "view" && before.view.version === view.version;
    this.#show({ kind: "view", view, problem: isSame ? before.problem : undefined, isLost: false });
  }

  async #lock(answer: Response): Promise<void> {
    this.#stream?.close();
    const { title, ask, open, problem } = await answer.json();
    this.#show({ kind: "locked", title, ask, open, problem });
  }

  async #ask(method: "GET" | "POST", door: string, body?: object): Promise<Response | undefined> {
    try {
      return await fetch(`/api/${door}`, {
        method,
        ...(body === undefined
          ? {}
          : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      });
    } catch {
      if (this.#told.kind === "view") this.#show({ ...this.#told, isLost: true });
      return undefined;
    }
  }

  #show(told: Told): void {
    this.#told = told;
    this.#tell(told);
  }
}

async function sentence(answer: Response): Promise<string> {
  const { problem } = await answer.json();
  return String(problem);
}
