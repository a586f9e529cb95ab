const texts = {
  en: { orders: "Your orders", empty: "Nothing here yet" },
  de: { orders: "Ihre Bestellungen", empty: "Noch nichts da" },
};

export type Language = keyof typeof texts;

export function text(language: Language, key: keyof (typeof texts)["en"]): string {
  return texts[language][key];
}
