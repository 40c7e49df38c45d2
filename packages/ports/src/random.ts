/** Chance, handed in, so that a whole fleet runs on one seed. Not for secrets: those come from `Crypto`. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}
