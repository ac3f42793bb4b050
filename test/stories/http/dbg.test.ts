import { createHouse } from './house.ts';

it('x', async () => {
  const house = await createHouse();
  const { card, msisdn: owner } = await house.customer();
  const msisdn = house.stranger();
  const phone = house.phone(msisdn);
  for (const t of ['*384*100#', '1', card, '1', '1']) console.log(await house.dial(phone, t));
  await house.textTo(owner, /Paid|paid/).catch(console.log);
  console.log(await house.rows('SELECT state, failure, msisdn FROM payment_order'));
  console.log(await house.rows('SELECT target, body, state, failure FROM outbound'));
  console.log(await house.rows('SELECT outcome, state, receipt FROM inbox'));
  await house.close();
});
