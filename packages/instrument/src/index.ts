/** Built next. */
export const underConstruction = "instrument";
