import { CoalmineError } from "@coalmine/runtime";

/** A release cannot be simulated here: by this machine, or by the policy on such a fleet. */
export class SimulationRefused extends CoalmineError {
  readonly code = "ERR_SIMULATION";
}
