import type { SignIn } from "@coalmine/contract/operator-api";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Refusal } from "../door/asking.ts";
import { useDesk } from "../frame/desk.ts";
import { Refused, Said } from "../shown/asked.tsx";

/** Where a provider's sign-in leads back to: a fragment does not survive the way. */
export const BACK = "back";

/** How one comes in here: by the link that was printed, or with the organisation's account. */
export function SignInPage({ ended }: { readonly ended: boolean }) {
  const { ask, texts, signed } = useDesk();
  const how = useSignal<SignIn | undefined>(undefined);
  const refusal = useSignal<Refusal | undefined>(undefined);
  const token = useSignal("");
  useEffect(() => {
    const look = async (): Promise<void> => {
      const answered = await ask("signIn");
      if (answered.kind === "answer") how.value = answered.value;
      else refusal.value = answered;
    };
    void look();
    // The link may have been opened beside this page: it is signed in as well, then.
    const again = async (): Promise<void> => {
      const answered = await ask("me");
      if (answered.kind === "answer") signed.value = { kind: "in", session: answered.value };
    };
    const shown = (): void => void again();
    addEventListener("focus", shown);
    return () => removeEventListener("focus", shown);
  }, []);
  const enter = async (): Promise<void> => {
    const answered = await ask("enter", {}, { token: token.value.trim() });
    if (answered.kind === "answer") signed.value = { kind: "in", session: answered.value };
    else refusal.value = answered;
  };
  const words = texts.value.signIn;
  return (
    <>
      {ended && <p class="note warn">{words.ended}</p>}
      {refusal.value !== undefined && (
        <p class="note bad" role="alert">
          <Refused refusal={refusal.value} />
        </p>
      )}
      {how.value?.how === "link" && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void enter();
          }}
        >
          <p>{words.link}</p>
          <p>
            <Said text={how.value.sentence} />
          </p>
          <label class="field wide">
            {words.token}
            <input
              type="password"
              autocomplete="off"
              value={token.value}
              onInput={({ currentTarget }) => void (token.value = currentTarget.value)}
            />
          </label>
          <div class="buttons">
            <button type="submit" class="primary">
              {words.enter}
            </button>
          </div>
        </form>
      )}
      {how.value?.how === "provider" && (
        <>
          <p>{words.provider}</p>
          <p class="buttons">
            <a
              class="button primary"
              href={how.value.start}
              onClick={() => sessionStorage.setItem(BACK, location.hash)}
            >
              {words.start}
            </a>
          </p>
        </>
      )}
    </>
  );
}
