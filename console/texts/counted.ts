/** A number as a language writes it, and whether it asks for the singular there. */
export interface Counted {
  readonly text: string;
  readonly isOne: boolean;
}
