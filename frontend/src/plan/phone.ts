/** +8613800138000 as a Chinese reader writes it; other countries' numbers and extensions stay as they are. */
export function readable(number: string): string {
  const mobile = /^\+86(1\d{2})(\d{4})(\d{4})$/.exec(number);
  if (mobile) return mobile.slice(1).join(" ");
  // Of the whole country, without an area code.
  const service = /^\+86([48]00)(\d{3})(\d{4})$/.exec(number);
  if (service) return service.slice(1).join(" ");
  // Two-digit area codes are 10 and 2x; all others have three digits.
  const landline = /^\+86(10|2\d|[3-9]\d{2})(\d{3,4})(\d{4})$/.exec(number);
  return landline ? `0${landline[1]}-${landline[2]}${landline[3]}` : number;
}
