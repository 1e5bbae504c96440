/** A plain chart for a trading or producing company where no law prescribes one. Our own; the ranges are customary. */
export const genericChart = `
1000 asset Активы | Assets
  1100 asset Денежные средства | Cash and bank
    1110 asset Касса | Cash on hand
    1120 asset Расчетный счет | Bank account
    1130 asset Валютный счет | Foreign currency account
    1140 asset Платежи в пути | Payments in transit
  1200 asset Дебиторская задолженность | Receivables
    1210 asset Покупатели | Customers
    1220 asset Резерв по сомнительным долгам | Allowance for doubtful debts
    1230 asset Авансы поставщикам | Advances to suppliers
    1240 asset Подотчетные лица | Advances to employees
    1250 asset Налог к возмещению | Input tax
    1260 asset Прочая дебиторская задолженность | Other receivables
  1300 asset Запасы | Inventories
    1310 asset Сырье и материалы | Raw materials
    1320 asset Незавершенное производство | Work in progress
    1330 asset Готовая продукция | Finished goods
    1340 asset Товары для перепродажи | Goods for resale
    1350 asset Товары в пути | Goods in transit
  1400 asset Расходы будущих периодов | Prepaid expenses
  1500 asset Внеоборотные активы | Non-current assets
    1510 asset Земля и здания | Land and buildings
    1520 asset Машины и оборудование | Plant and machinery
    1530 asset Транспорт | Vehicles
    1540 asset Мебель и оргтехника | Furniture and office equipment
    1550 asset Нематериальные активы | Intangible assets
    1590 asset Накопленная амортизация | Accumulated depreciation
  1600 asset Финансовые вложения | Financial investments
2000 liability Обязательства | Liabilities
  2100 liability Кредиторская задолженность | Payables
    2110 liability Поставщики | Suppliers
    2120 liability Полученные, но не выставленные товары | Goods received, not yet billed
    2130 liability Авансы покупателей | Advances from customers
    2140 liability Прочая кредиторская задолженность | Other payables
  2200 liability Налоги | Taxes
    2210 liability Налог с продаж и НДС | Output tax
    2220 liability Налог на прибыль | Income tax
    2230 liability Налоги и взносы с зарплаты | Payroll taxes
  2300 liability Зарплата к выплате | Wages payable
  2400 liability Начисленные расходы | Accrued expenses
  2500 liability Доходы будущих периодов | Deferred income
  2600 liability Краткосрочные займы | Short-term loans
  2700 liability Долгосрочные займы | Long-term loans
3000 equity Капитал | Equity
  3100 equity Уставный капитал | Share capital
  3200 equity Резервы | Reserves
  3300 equity Нераспределенная прибыль | Retained earnings
  3400 equity Выплаты владельцам | Drawings and dividends
4000 income Доходы | Income
  4100 income Продажа товаров | Sales of goods
  4200 income Продажа услуг | Sales of services
  4300 income Скидки и возвраты | Discounts and returns
  4400 income Прочие доходы | Other income
  4500 income Доход от курсовых разниц | Exchange gains
5000 expense Себестоимость | Cost of sales
  5100 expense Себестоимость проданных товаров | Cost of goods sold
  5200 expense Труд в производстве | Production labour
  5300 expense Накладные расходы производства | Production overheads
  5400 expense Отклонения и потери запасов | Inventory variances and losses
6000 expense Расходы | Expenses
  6100 expense Зарплата | Wages and salaries
  6200 expense Аренда | Rent
  6300 expense Связь и коммунальные услуги | Utilities and communication
  6400 expense Реклама | Advertising
  6500 expense Транспорт и командировки | Transport and travel
  6600 expense Профессиональные услуги | Professional services
  6700 expense Амортизация | Depreciation
  6800 expense Банковские расходы и проценты | Bank charges and interest
  6900 expense Прочие расходы | Other expenses
  6950 expense Убыток от курсовых разниц | Exchange losses
  6990 expense Округление | Rounding
7000 expense Налог на прибыль | Income tax expense
`;
