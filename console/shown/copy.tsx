import { useSignal } from "@preact/signals";
import { useDesk } from "../frame/desk.ts";

/** Copies a text; its label says what, and that it was done. */
export function Copy({ label, text }: { readonly label: string; readonly text: string }) {
  const { copied } = useDesk().texts.value;
  const isCopied = useSignal(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    isCopied.value = true;
  };
  return (
    <button
      type="button"
      class="small"
      aria-label={isCopied.value ? copied : label}
      title={label}
      onClick={() => void copy()}
    >
      <span aria-hidden="true">{isCopied.value ? "✓" : "#"}</span>
    </button>
  );
}
