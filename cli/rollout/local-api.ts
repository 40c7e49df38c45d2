import type { Api } from "../../api/api.ts";
import type { Region } from "../../pipeline/controller/region.ts";
import { ofThisMachine, openApi } from "../asked/asked.ts";
import type { RunningSystem } from "../system/state.ts";

/** The operators' API of the system that runs on this machine. */
export function localApi(running: RunningSystem): { api: Api; home: Region } {
  return openApi(ofThisMachine(running));
}
