import type { ConflictingDuties } from './duty-pair.ts';

/**
 * Pairs of the trade whose permissions the services to come will declare under these names. Until then they are inert:
 * no role can hold what does not exist.
 */
export const futureDuties: readonly ConflictingDuties[] = [
  {
    id: 'make-supplier-and-pay',
    title: {
      en: 'Adding suppliers and approving payments',
      ru: 'Заведение поставщиков и утверждение платежей',
    },
    left: ['main.partner.create', 'main.partner.change'],
    right: ['accounting.payment.approve', 'accounting.payment.create'],
    why: {
      en: 'A supplier who does not exist, or whose bank account was changed, could be paid.',
      ru: 'Можно оплатить несуществующего поставщика или подменить его счёт.',
    },
    source:
      'SAP GRC rule set, procure to pay: maintain vendor master and process payments; ACFE fraud tree, billing schemes',
  },
  {
    id: 'prepare-and-approve-payment',
    title: { en: 'Preparing and approving payments', ru: 'Подготовка и утверждение платежей' },
    left: ['accounting.payment.create'],
    right: ['accounting.payment.approve'],
    why: {
      en: 'Each payment needs a second pair of eyes.',
      ru: 'Каждому платежу нужна вторая пара глаз.',
    },
    source: 'COSO 2013, principle 10; COBIT 2019 DSS06.03',
  },
  {
    id: 'enter-bill-and-pay',
    title: {
      en: 'Entering suppliers’ bills and approving payments',
      ru: 'Ввод счетов поставщиков и утверждение платежей',
    },
    left: ['accounting.bill.post'],
    right: ['accounting.payment.approve'],
    why: {
      en: 'A bill for nothing could be entered and paid.',
      ru: 'Можно ввести счёт ни за что и самому его оплатить.',
    },
    source: 'SAP GRC rule set, procure to pay: enter vendor invoice and process payments',
  },
  {
    id: 'order-and-receive-goods',
    title: {
      en: 'Ordering goods and confirming their receipt',
      ru: 'Заказ товаров и подтверждение их приёмки',
    },
    left: ['main.purchase-order.create'],
    right: ['main.goods-receipt.post'],
    why: {
      en: 'Goods that never came could be confirmed and then paid for.',
      ru: 'Можно подтвердить приёмку того, что не приходило, и получить за это оплату.',
    },
    source: 'SAP GRC rule set, procure to pay: purchase order and goods receipt',
  },
  {
    id: 'prepare-and-approve-purchase',
    title: {
      en: 'Preparing and approving purchase orders',
      ru: 'Подготовка и утверждение заказов поставщику',
    },
    left: ['main.purchase-order.create'],
    right: ['main.purchase-order.approve'],
    why: {
      en: 'The limit on what one person may spend would bind nobody.',
      ru: 'Предел расходов одного человека никого бы не связывал.',
    },
    source: 'COSO 2013, principle 10; SAP GRC rule set: release purchase order',
  },
  {
    id: 'receive-goods-and-enter-bill',
    title: {
      en: 'Confirming receipt and entering the bill',
      ru: 'Подтверждение приёмки и ввод счёта поставщика',
    },
    left: ['main.goods-receipt.post'],
    right: ['accounting.bill.post'],
    why: {
      en: 'Order, receipt and bill are compared with each other; two of them from one hand prove nothing.',
      ru: 'Заказ, приёмка и счёт сверяются между собой; две бумаги из одних рук ничего не доказывают.',
    },
    source: 'SAP GRC rule set, procure to pay: goods receipt and enter vendor invoice (three-way match)',
  },
  {
    id: 'count-and-adjust-stock',
    title: { en: 'Counting stock and adjusting it', ru: 'Инвентаризация и корректировка запасов' },
    left: ['main.stock-count.record'],
    right: ['main.stock-adjustment.post'],
    why: {
      en: 'What was taken could be written off as miscounted.',
      ru: 'Взятое со склада можно списать как ошибку подсчёта.',
    },
    source: 'SAP GRC rule set, materials management: enter counts and clear differences; AICPA AU-C 501',
  },
  {
    id: 'set-price-and-sell',
    title: {
      en: 'Setting prices and taking sales orders',
      ru: 'Установка цен и оформление заказов покупателей',
    },
    left: ['shop.price.change'],
    right: ['shop.sales-order.create'],
    why: {
      en: 'A friend could be sold to at a price made for the moment.',
      ru: 'Знакомому можно продать по цене, заведённой на минуту.',
    },
    source: 'SAP GRC rule set, order to cash: maintain pricing and sales order',
  },
  {
    id: 'set-credit-limit-and-sell',
    title: {
      en: 'Setting credit limits and taking sales orders',
      ru: 'Установка кредитных лимитов и оформление заказов покупателей',
    },
    left: ['main.credit-limit.change'],
    right: ['shop.sales-order.create'],
    why: {
      en: 'Goods could go to somebody who will never pay, for the sake of the turnover.',
      ru: 'Товар можно отпустить тому, кто не заплатит, — ради выручки.',
    },
    source: 'SAP GRC rule set, order to cash: maintain credit limit and sales order',
  },
  {
    id: 'sell-and-refund',
    title: { en: 'Selling and approving refunds', ru: 'Продажа и утверждение возвратов' },
    left: ['shop.sales-order.create'],
    right: ['shop.refund.approve'],
    why: {
      en: 'A sale could be given back to oneself.',
      ru: 'Выручку от продажи можно вернуть самому себе.',
    },
    source: 'ACFE fraud tree, register disbursements: false refunds; COSO 2013, principle 10',
  },
  {
    id: 'pay-and-reconcile-bank',
    title: { en: 'Paying and reconciling the bank', ru: 'Проведение платежей и сверка банка' },
    left: ['accounting.payment.create', 'accounting.payment.approve'],
    right: ['accounting.bank-statement.reconcile'],
    why: {
      en: 'The reconciliation is what shows a payment that should not have been.',
      ru: 'Именно сверка показывает платёж, которого не должно было быть.',
    },
    source: 'SAP GRC rule set: process payments and bank reconciliation; ISACA segregation of duties matrix',
  },
  {
    id: 'reopen-period-and-post',
    title: {
      en: 'Reopening periods and posting to the ledger',
      ru: 'Открытие закрытых периодов и проведение записей',
    },
    left: ['accounting.period.reopen'],
    right: ['accounting.journal-entry.post'],
    why: {
      en: 'A reported year could be changed after the fact.',
      ru: 'Сданный год можно было бы изменить задним числом.',
    },
    source: 'SAP GRC rule set: open and close posting periods and post journal entry; PCAOB AS 2401.58-.62',
  },
];
