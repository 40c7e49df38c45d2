import { useEffect, useRef } from "preact/hooks";
import { useDesk } from "./desk.ts";

const SEQUENCE_MS_MAX = 1500;

/** Keys that act on a page: a letter, or `g` and a letter. Not while somebody types, nor behind a dialog. */
export function useKeys(deeds: Readonly<Record<string, () => void>>): void {
  const { choices } = useDesk();
  // Between two keys a page may be drawn anew.
  const begun = useRef({ key: "", atMs: 0 });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (!choices.keys.value || event.ctrlKey || event.altKey || event.metaKey) return;
      if (isTyping(event.target) || document.querySelector("dialog[open]") !== null) return;
      const { key, atMs } = begun.current;
      const isLate = event.timeStamp - atMs > SEQUENCE_MS_MAX;
      const keys = !isLate && key !== "" ? `${key} ${event.key}` : event.key;
      begun.current = { key: event.key === "g" ? "g" : "", atMs: event.timeStamp };
      const deed = deeds[keys];
      if (deed === undefined) return;
      event.preventDefault();
      deed();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const isTicked =
    target instanceof HTMLInputElement && (target.type === "radio" || target.type === "checkbox");
  return target.isContentEditable || (!isTicked && ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName));
}
