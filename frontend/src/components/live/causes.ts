import { i18n } from "@/i18n";

/** A hang-up cause in words; one that we have no words for is shown as it came. */
export function causeText(cause: string): string {
  const { t, te } = i18n.global;
  return te(`causes.${cause}`) ? t(`causes.${cause}`) : cause;
}
