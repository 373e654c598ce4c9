/** How many there are, with the noun in the form that fits: `1 key`, `2 keys`. */
export const count = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? '' : 's'}`;
