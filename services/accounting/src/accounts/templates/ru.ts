/**
 * The plan of accounts of commercial organisations in Russia, with the names as the order writes them.
 * Source: order 94n of the Ministry of Finance of 31 October 2000, as amended on 8 November 2010. The order gives no
 * types; docs/domain/ledger.md#russian-plan-of-accounts says how they follow from it and why 90.09 is equity.
 */
export const russianChart = `
01 asset Основные средства | Fixed assets
02 asset Амортизация основных средств | Depreciation of fixed assets
03 asset Доходные вложения в материальные ценности | Income-bearing investments in tangible assets
04 asset Нематериальные активы | Intangible assets
05 asset Амортизация нематериальных активов | Amortisation of intangible assets
07 asset Оборудование к установке | Equipment to be installed
08 asset Вложения во внеоборотные активы | Investments in non-current assets
  08.01 asset Приобретение земельных участков | Acquisition of land
  08.02 asset Приобретение объектов природопользования | Acquisition of natural resources
  08.03 asset Строительство объектов основных средств | Construction of fixed assets
  08.04 asset Приобретение объектов основных средств | Acquisition of fixed assets
  08.05 asset Приобретение нематериальных активов | Acquisition of intangible assets
  08.06 asset Перевод молодняка животных в основное стадо | Transfer of young animals to the main herd
  08.07 asset Приобретение взрослых животных | Acquisition of adult animals
  08.08 asset Выполнение научно-исследовательских, опытно-конструкторских и технологических работ | Research, development and engineering
09 asset Отложенные налоговые активы | Deferred tax assets
10 asset Материалы | Materials
  10.01 asset Сырье и материалы | Raw materials
  10.02 asset Покупные полуфабрикаты и комплектующие изделия, конструкции и детали | Purchased semi-finished goods, components, structures and parts
  10.03 asset Топливо | Fuel
  10.04 asset Тара и тарные материалы | Packaging and packaging materials
  10.05 asset Запасные части | Spare parts
  10.06 asset Прочие материалы | Other materials
  10.07 asset Материалы, переданные в переработку на сторону | Materials sent out for processing
  10.08 asset Строительные материалы | Building materials
  10.09 asset Инвентарь и хозяйственные принадлежности | Tools and household supplies
  10.10 asset Специальная оснастка и специальная одежда на складе | Special tooling and clothing in store
  10.11 asset Специальная оснастка и специальная одежда в эксплуатации | Special tooling and clothing in use
11 asset Животные на выращивании и откорме | Animals being raised and fattened
14 asset Резервы под снижение стоимости материальных ценностей | Allowance for impairment of inventories
15 asset Заготовление и приобретение материальных ценностей | Procurement and acquisition of inventories
16 asset Отклонение в стоимости материальных ценностей | Variances in the cost of inventories
19 asset Налог на добавленную стоимость по приобретенным ценностям | Value added tax on purchases
  19.01 asset Налог на добавленную стоимость при приобретении основных средств | Value added tax on purchases of fixed assets
  19.02 asset Налог на добавленную стоимость по приобретенным нематериальным активам | Value added tax on purchases of intangible assets
  19.03 asset Налог на добавленную стоимость по приобретенным материально-производственным запасам | Value added tax on purchases of inventories
20 asset Основное производство | Main production
21 asset Полуфабрикаты собственного производства | Semi-finished goods of own production
23 asset Вспомогательные производства | Auxiliary production
25 expense Общепроизводственные расходы | Production overheads
26 expense Общехозяйственные расходы | General and administrative expenses
28 expense Брак в производстве | Spoilage in production
29 asset Обслуживающие производства и хозяйства | Service facilities
40 asset Выпуск продукции (работ, услуг) | Output of products, works and services
41 asset Товары | Goods
  41.01 asset Товары на складах | Goods in warehouses
  41.02 asset Товары в розничной торговле | Goods in retail
  41.03 asset Тара под товаром и порожняя | Containers, full and empty
  41.04 asset Покупные изделия | Purchased articles
42 asset Торговая наценка | Trade margin
43 asset Готовая продукция | Finished goods
44 expense Расходы на продажу | Selling expenses
45 asset Товары отгруженные | Goods shipped
46 asset Выполненные этапы по незавершенным работам | Completed stages of work in progress
50 asset Касса | Cash
  50.01 asset Касса организации | Cash desk of the organisation
  50.02 asset Операционная касса | Operating cash desk
  50.03 asset Денежные документы | Monetary documents
51 asset Расчетные счета | Settlement accounts
52 asset Валютные счета | Foreign currency accounts
55 asset Специальные счета в банках | Special accounts in banks
  55.01 asset Аккредитивы | Letters of credit
  55.02 asset Чековые книжки | Cheque books
  55.03 asset Депозитные счета | Deposit accounts
57 asset Переводы в пути | Transfers in transit
58 asset Финансовые вложения | Financial investments
  58.01 asset Паи и акции | Shares
  58.02 asset Долговые ценные бумаги | Debt securities
  58.03 asset Предоставленные займы | Loans granted
  58.04 asset Вклады по договору простого товарищества | Contributions to simple partnerships
59 asset Резервы под обесценение финансовых вложений | Allowance for impairment of financial investments
60 liability Расчеты с поставщиками и подрядчиками | Suppliers and contractors
62 asset Расчеты с покупателями и заказчиками | Customers
63 asset Резервы по сомнительным долгам | Allowance for doubtful debts
66 liability Расчеты по краткосрочным кредитам и займам | Short-term loans
67 liability Расчеты по долгосрочным кредитам и займам | Long-term loans
68 liability Расчеты по налогам и сборам | Taxes and duties
69 liability Расчеты по социальному страхованию и обеспечению | Social insurance
  69.01 liability Расчеты по социальному страхованию | Social insurance contributions
  69.02 liability Расчеты по пенсионному обеспечению | Pension contributions
  69.03 liability Расчеты по обязательному медицинскому страхованию | Compulsory medical insurance contributions
70 liability Расчеты с персоналом по оплате труда | Wages and salaries
71 asset Расчеты с подотчетными лицами | Advances to employees
73 asset Расчеты с персоналом по прочим операциям | Other settlements with employees
  73.01 asset Расчеты по предоставленным займам | Loans granted to employees
  73.02 asset Расчеты по возмещению материального ущерба | Compensation of damage by employees
75 asset Расчеты с учредителями | Settlements with founders
  75.01 asset Расчеты по вкладам в уставный (складочный) капитал | Contributions to the charter capital
  75.02 liability Расчеты по выплате доходов | Payment of income to founders
76 liability Расчеты с разными дебиторами и кредиторами | Sundry debtors and creditors
  76.01 liability Расчеты по имущественному и личному страхованию | Property and personal insurance
  76.02 asset Расчеты по претензиям | Claims
  76.03 asset Расчеты по причитающимся дивидендам и другим доходам | Dividends and other income due
  76.04 liability Расчеты по депонированным суммам | Unclaimed wages
77 liability Отложенные налоговые обязательства | Deferred tax liabilities
79 asset Внутрихозяйственные расчеты | Settlements between divisions
  79.01 asset Расчеты по выделенному имуществу | Property allocated to divisions
  79.02 asset Расчеты по текущим операциям | Current operations of divisions
  79.03 asset Расчеты по договору доверительного управления имуществом | Trust management of property
80 equity Уставный капитал | Charter capital
81 equity Собственные акции (доли) | Own shares
82 equity Резервный капитал | Reserve capital
83 equity Добавочный капитал | Additional capital
84 equity Нераспределенная прибыль (непокрытый убыток) | Retained earnings (uncovered loss)
86 liability Целевое финансирование | Special-purpose financing
90 income Продажи | Sales
  90.01 income Выручка | Revenue
  90.02 expense Себестоимость продаж | Cost of sales
  90.03 expense Налог на добавленную стоимость | Value added tax
  90.04 expense Акцизы | Excise duties
  90.09 equity Прибыль / убыток от продаж | Profit or loss on sales
91 income Прочие доходы и расходы | Other income and expenses
  91.01 income Прочие доходы | Other income
  91.02 expense Прочие расходы | Other expenses
  91.09 equity Сальдо прочих доходов и расходов | Balance of other income and expenses
94 asset Недостачи и потери от порчи ценностей | Shortages and losses from damage
96 liability Резервы предстоящих расходов | Provisions for future expenses
97 asset Расходы будущих периодов | Deferred expenses
98 liability Доходы будущих периодов | Deferred income
  98.01 liability Доходы, полученные в счет будущих периодов | Income received in advance
  98.02 liability Безвозмездные поступления | Receipts free of charge
  98.03 liability Предстоящие поступления задолженности по недостачам, выявленным за прошлые годы | Expected recoveries of shortages found in earlier years
  98.04 liability Разница между суммой, подлежащей взысканию с виновных лиц, и балансовой стоимостью по недостачам ценностей | Recoverable from those liable above the book value of shortages
99 equity Прибыли и убытки | Profit and loss
`;
