/** The page's language, for every part of it. */
import { createContext, useContext } from 'react';
import { createSay, type Language, type Say } from './words.ts';

export interface Words {
  language: Language;
  say: Say;
}

const WordsContext = createContext<Words>({ language: 'en', say: createSay('en') });

export const WordsProvider = WordsContext.Provider;

/** The words of the page's language. */
export function useWords(): Words {
  return useContext(WordsContext);
}
