import { defineStore } from "pinia";
import { shallowRef } from "vue";

interface Question {
  title: string;
  text: string;
  yes: string;
  /** It can be taken back after all: the button does not warn. */
  harmless?: boolean;
}

/** One question at a time, asked before something that cannot be taken back. */
export const useConfirm = defineStore("confirm", () => {
  const question = shallowRef<Question | null>(null);
  let resolve: (yes: boolean) => void = () => undefined;

  function ask(asked: Question): Promise<boolean> {
    resolve(false);
    question.value = asked;
    return new Promise((done) => (resolve = done));
  }

  function answer(yes: boolean): void {
    question.value = null;
    resolve(yes);
  }

  return { question, ask, answer };
});
