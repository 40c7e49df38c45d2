import type { DeviceRow } from "@coalmine/contract/operator-api";
import { useDesk } from "../frame/desk.ts";
import { minuteText } from "./figures.ts";

/** What keeps a device from its update. */
export function WaitsFor({ waits }: { readonly waits: NonNullable<DeviceRow["waits"]> }) {
  const { texts, language } = useDesk();
  return <>{texts.value.waits[waits.for](minuteText(waits.sinceMs, language.value))}</>;
}
