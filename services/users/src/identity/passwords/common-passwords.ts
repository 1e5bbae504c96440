/**
 * Passwords and names that are tried first, in lower case, with the digits and signs around them left off where they
 * are only that: `strength.ts` compares without them, so "Dragon2024!" is found as "dragon". English, Russian, and
 * Russian in Latin letters or on the wrong keyboard.
 */
export const commonPasswords: ReadonlySet<string> = new Set(
  `
a123456 a1234567 a12345678 a123456789 a1234567890 a1a1a1a1 a1b2c3 a1b2c3d4 a1s2d3f4 aa123456 aa12345678
aa123456789 aaa111 aaaa1111 abba abc abc123 abc1234 abc12345 abc123456 abc123abc abcabc abcd abcd1234 abcd12345
abcde abcdef abcdefg abcdefgh access accessme account accounting accounts acdc acer admin adminadmin
administrador administrateur administrator admins africa airforce ajax alaska aleksandr aleksey alena alex alexa
alexander alexandra alexandre alexei alexey alexis alina allah alligator almaty alpha alphabet always alyona
alyosha amanda amazing amazon amber america american anastasia anastasiya andrea andreas andrei andrew andrey
android angel angelica angelina angelo angelok angels anna annushka anthony anthonyt anton anya anybody anything
apelsin apollo apple applepie apples april aquarius aragorn arbuz argentina aries arina arizona army arsenal
artem artur artyom asd123 asdasd asdasdasd asdf asdfg asdfgh asdfghj asdfghjk asdfghjkl asdqwe asdzxc ashley
assassin asshole astana asteroid asus asya athens atlanta audi august aurora austin australia austria autumn
avalanche avatar avengers awesome azerty babe babushka baby babyblue babyboy babydoll babygirl bacon badass
badboy badgirl baikal bailey ballet baltimore banan banana bananas barbara barcelona bart baseball basketball
bass bastard batgirl batman battlefield bayern bear bears beatles beautiful beauty beckham beer beijing belarus
believe benjamin benz berlin besiktas bestfriend bestfriends beta beyonce bible bicycle bigboss bilbo billion
billionaire birthday bismillah bitch bitches biteme black blackberry blackbird blackcat blackhawk blackjack
blacky blah blahblah bleach bless blessed blessing blink blizzard blossom blue blueberry bluebird bluemoon blues
bluesky bobcat bobmarley bog bogatstvo boginya bond boobs boris borsch boss boston boxing bradley brandon brandy
brasil brazil brian brilliant britain britney brittany bronco broncos bronze brooklyn brother brothers brown
brownie bryan bryant bubba bubbles budd buddha buddy buffalo bugatti bulldog bulldogs bullet bullshit bumblebee
bunny burger burrito business buster butter buttercup butterfly butthead cadillac cake california callofduty
camaro cameron canada cancer candy candygirl cappuccino capricorn captain captainamerica carolina caroline
carrot cartman cash castle catcat catherine cats cccp celtic champ champion champions change changeme
changepassword changethis charizard charles charlie charlotte cheese cheesecake cheetah chef chelsea cherries
cherry cherryblossom chert chester chevelle chevrolet chevy chicago chicken chickenwing chico chile china
chinese chocolat chocolate chopper chris christ christian christina christine christmas christopher church
cinderella cinnamon cjkysirj claudia cleveland cloud clouds cloudy coach cobra cocacola coconut coffee
coffeelover coke coldplay colombia colonel colors comet company compaq computer cookie cookies cool coolboy
coolgirl coolguy coolman cooper corona corvette cosmo cosmos cougar counterstrike
courtney cowboy cowboys cowgirl cranberry crazy crazyboy crazygirl creeper cricket crimson crocodile crusader
crystal cska cthutq cupcake cute cutie cutiepie cycling cynthia daddy daddysgirl dagger daisy dakota dallas
dance dancer dancing daniel daniela danielle danny darling darthvader dasha database david davidson deadpool
dearest debbie debian december dedushka default delhi dell delta demo demon demouser dengi denis denmark dennis
denver depeche destiny detroit deutschland devil dexter diablo diamond diana dick dickhead digimon digital dima
dimon dinamo dinosaur dirty disco dkflbvbh dmitri dmitriy dmitry docker doctor dodge dodgers doggie doggy dogs
doktor dollar dollars dolphin dolphins dominic donald dontforget dontknow doom dorothy dortmund douglas dozhd
dragon dragonball dragonfly dragons drakon dream dreamer dreaming dreams drowssap drummer drums druzhba ducati
dumbledore dyavol dylan dynamo eagle eagles earth earthquake easter eatme eclipse edcrfv edward egor egypt
ekaterina elastic elena elephant elizabeth elvis emerald emily eminem emma energy engineer england english
enigma enter enterme entropy entry eric erica ericsson espana espresso ethan eugene evelyn evening everton
everyone everything evgenia evgeniy evgeniya evgeny example excellent explorer extreme facebook fairy fairytale
faith faithful falcon falcons fallout families family fanta fantastic fate father fdsa february federer fedor
felix fender fenerbahce fernando ferrari fighter finance finland fire fireball firebird firefighter firefly
fireman firstlove fish fishing five fktrcfylh fktrctq flame flash flipper floppy florence florida flower flowers
footbal football ford fordfiesta forever foreverlove forget forgot forgotten formula fortnite fortune four
france francis francisco frank franklin freak freddie freddy freedom french friday friend friends friendsforever
friendship frodo frog froggy fuck fucker fuckme fuckoff fucku fuckyou fun funny fylhtq gabriel gabriela
gabriella gagarin galatasaray galaxy galina galore game gameboy gameover gamer gamers games gamma gandalf ganesh
gangsta gangster garlic gateway gemini general genesis genius gennady george georgia georgy gerald german
germany getin getout gfdsa gfhjkm ghbdtn ghbdtnbr ghost giants ginger giraffe github gitlab gladiator gleb
gloria glory goaway godbless godblessamerica godfather godisgood godislove goku gold golden goldeneye goldengirl
goldfish golf golfer golfing goodbye goodmorning goodnight google gordon gorgeous gorilla gospel gospod grace
grafana grandma grandpa grape greece green greenbay greenday gregory griffin grisha gryffindor guardian guest
guitar guitarist gunner gunners hacked hacker hackers hackme halflife hallelujah halloween halo hamburg
hamburger hammer hamster hannah happiness happy happybirthday happybirthdaytoyou happyday happyeverafter
happynewyear hardcore harley harleydavidson harmony harold harry harrypotter hawaii hawk hawks heart heartbreak
hearts heather heaven heavymetal helen hell hello hellohello hellokitty hellothere helloworld helpdesk helpme
henry hermione hero heroes hiphop hobbit hockey hogwarts holiday hollywood homer honda honey honeybee honeydew
hongkong hooters hope hopeful horse horses hotdog hotgirl hottie houston hugme hugs hulk hummer hunter hurricane
husband hyundai iamthebest iamtheboss iamtheking ice iceberg icecream icecube iceman idontknow idontremember
iforgot iforgotmypassword igor ihavenopassword ilovegod iloveher ilovehim ilovejesus ilovemom ilovemum
ilovemyfamily ilovemyself iloveu iloveyou iloveyoubaby iloveyouforever iloveyousomuch ilya india indian
indonesia inferno infinity inna inshallah instagram intel inter internet intrepid inuyasha iphone ira ireland
irina iris irish ironmaiden ironman isabel isabella israel istanbul italia italy ivan ivanov ivanova jack
jackass jackpot jackson jacob jade jaguar jakarta jake james jamesbond jamie jane janet january japan japanese
jasmine jason jazz jedi jeep jeffrey jenkins jennifer jeremy jerome jerry jesse jessica jesus jesuschrist
jesusismylord jesusisthelord jesuslovesme joejoe johann john johnny johnson joker jonathan jordan jose joseph
josephine joshua juan juanita judith judo julia julian juliana julie july jumper june jupiter justice justin
juventus k.,jdm kalinka kamikaze karate karen karina karma katherine kathleen katie katya kawasaki kayla
kazakhstan kazan keith kelly kenneth kenny kenya kevin kibana kiev killer killers kimberly king kingdom kingkong
kings kira kirill kisa kiska kiss kisses kissme kitkat kitten kittens kitty kittycat klubnika knight knights
knopka kobe kolya konfeta konstantin korea korean korn korol koroleva koshka kostya kotenok kotik krasnodar
krishna kristen kristina ksenia kseniya kubernetes kuznetsov kyle laddie ladybird ladybug lakers lamborghini
laptop larisa lasvegas latte laugh laughing laura lauren lawrence lawyer leather lebed lebron ledzeppelin legend
legends legion legolas lemon lemonade lena lenin leningrad lenovo leonardo leonid leopard lesha leslie letmein
letmein123 letmeinnow letmeinplease leto liberty libra lightning lilia lily limon linda lindsay lindsey linkedin
linkin linkinpark linux lion lions lisa liverpool liverpoolfc lkjhgfdsa logan login logmein lokomotiv london
loremipsum loremipsumdolor losangeles louis louise louisiana love love123 loveislove lovelove lovely loveme
lover loverboy lovergirl loveyou lublu lublutebya lubov lucas lucifer lucky luckyboy luckygirl luckyme luckyone
luckystar lucy ludmila luigi luke luna lvbnhbq lyublyu lyubov lyudmila macbook macintosh maddog madison madonna
madrid mafia maggie magic magical magician magnum mailru major maksim malaysia malina mama mamapapa mamochka
mamulya manager manchester manchesterunited mango manila manutd maradona march marcus margaret margarita maria
mariah mariana marie marina marine marines mario mark marlboro marley marry mars marshall martha martin martina
marusya marvel marvin mary maserati masha mason master masterkey matreshka matrix matthew maverick max maxim
maximus maxwell may mayforcebewithyou maytheforcebewithyou mazda meatball medved medvedev megadeth megan melanie
melbourne melissa mercedes mercury merlin merrychristmas messi metal metallica meteor mexico miami michael
michaeljackson micheal michelle michigan mickey mickeymouse microsoft midnight miguel mihail mike mikey mikhail
milan milano mildred military milk milkshake milliard million millionaire minecraft minnie minsk mir miranda
misha mitchell mitsubishi mnbvcx mnbvcxz mobile mohammed mojo molly mommy monday money moneymoney mongo monica
monique monkey monkeys monster monsters moon moonlight moonshine moose morgan morning moscow moskva mother
motherfucker mothers motorcycle motorola moyparol muffin muhammad mumbai mummy munchen munchkin murphy music
musica musical mustang mylove mypass mypassword mypasswordis mypasswordispassword mysecret mysql nadal nadezhda
nadya naked nancy narnia naruto nascar nashville nastia nastya natali natalia natalie nataly natalya natasha
nathan nathaniel navy nebo nelson nemesis nemo neo netflix network nevada newpassword newyork newyorkcity neymar
nice nicholas nicolas nicole nigeria nikita nikolai nikolay ninja nintendo nirvana nissan nobody nokia noodle
nopassword nopasswordhere norman norway notebook nothing nova november novosibirsk novyparol nugget number
numbers nurse nutella october octopus odessa office ohio oksana oldpassword oleg olga oliver olivia olya omega
onceuponatime one onepiece onetwo onetwothree onetwothreefour onion opensesame openthedoor openup operator
oracle orange oranges orchid oregon orel orion orlando oscar osen packers pacman pakistan pamela panasonic panda
panther panthers papa papochka paradise paris parker parol parolparol parrot party pasha pass passat passcode
passme passpass passphrase passw passw0rdpassw0rd passwd password password1234567 passwordispassword
passwordpassword passwort pasta patches patricia patrick patrickstar patty paul paula pavel peace peaceful peach
peaches peanut peanuts pearl pebbles peewee pegasus pele pelmeni penguin penguins pentium people pepper pepsi
perfect peru peter peterburg petr petrov petrova philadelphia philip philippines phillip philly phoenix piano
picasso pickle pierre pigeon piglet pikachu pilot pineapple pink pinkfloyd pinkie pinky pirate pirates pirozhok
pisces pitbull piter pittsburgh pizza planet platinum playboy player playstation please pleaseletmein pluto
pobeda poiuytrewq poka pokemon poland police polina polska ponies pontiac pony pooh poohbear pookie popcorn
popeye popov porn porsche portal portland portugal postgres potato power powerful pozhaluysta prayer president
pretty prettygirl prince princess princessa princesses private privet privetik privetprivet prodigy psg puma
pumpkin punk punkrock puppies puppy puppylove purple pussy pussycat putin puzzle python q1w2e3 q1w2e3r4
q1w2e3r4t5 q1w2e3r4t5y6 qaz123 qaz123wsx qazqaz qazwsx qazwsxedc qazxsw qq123123 qq123456 quake queen
quickbrownfox qwaszx qwe123 qwe123qwe qweasd qweasdzxc qweqwe qwer qwer1234 qwerasdf qwert qwert12345 qwerty
qwertyqwertyqwerty qwertyu qwertyui qwertyuio qwertyuiop qwertyuiopasdf qwertyuiopasdfgh qwertz rabbit rabbitmq
rabota rachel racing radiohead rain rainbow raindrop raisa rambo rammstein ranger rangers rapper rascal
raspberry raven ravens raymond rbhbkk reality realmadrid realmadridcf rebecca rebel red redbull redhead redis
redneck redrose redsox reggae regina remember remembers remote resetpassword revolution rfnz ricardo rich
richard richie ricky riders rihanna rimma rita robert roberto robin roblox rock rocket rocknroll rockon rockstar
rocky rollingstones rolltide roma roman romance romantic romashka rome ronald ronaldo rooney rooster root
rootroot rose rosebud rosemary roses rossia rossiya rostov roxanne roxy roza rozochka rubl ruby rugby runner
running ruslan russell russia rusty ruth ryan rybka sabrina sadie sagittarius sakura samantha samara sample
samson samsung samsunggalaxy samuel samurai sandiego sandra sandwich sanfrancisco santa santaclaus sapphire
sarah sasha sasuke satan saturday saturn sauron savannah scarface scarlet schastie schastye schumacher scooby
scoobydoo scooter scorpio scorpion scotland scott season seattle sebastian secret secretpassword secrets senna
seoul september sergeant sergei sergey sergio server service seryoga sesame sex sexbomb sexsex sexy sexyboy
sexygirl shadow shadows shakhtar shakira shalom shanghai shannon shaq shark sharks sharon sheriff sherlock
shirley shit shiva shkola shokolad shooter shorty shrek sibir sidney sidorov sigma signin silver simon simpsons
singapore singer sister sisters skateboard skater skippy skittles sky skyblue skyler skyline skyrim skywalker
slava slayer slipknot slytherin smile smiley smiling smirnov smith smoke smokey snake sneg snezhok snickers
sniper snoopdogg snoopy snow snowball snowboard snowflake snowman snowwhite sobaka soccer sochi socrates sofia
sokol soldier solnce solnishko solnyshko somebody something sonic sony sonya sophia sophie sorry southpark space
spaceman spaghetti spain sparkle sparky spartak spasibo speedy spencer spider spiderman spike spirit spongebob
spring sprite squirrel squirt sssr stalin stalker stallion stanislav stanley star starbucks starcraft stardust
starfish starlight stars startrek starwars stas stealth steelers stefan stella stepan stephanie stephen sterling
steve steven stewart stingray stinky stop storm stormy strawberry strength strong student subaru sublime subway
success sugar sugarbear sugarplum summer sun sunday sunflower sunny sunrise sunset sunshine super supergirl
superhero superman supernova superpassword supersecret superstar superuser superwoman support surfer surfing
susan sushi suzanne suzuki sveta svetlana svoboda sweden sweet sweetheart sweetie sweetlove sweetpea sweety
swimming sword swordfish sydney sylvia sysadmin system taco tamara tanya tarzan tatiana tatyana taurus taylor
taz teacher techno teddybear telegram temp temporary temppassword tennessee tennis tequila teresa terminator
terry test tester testing tests testtest testuser tetris texas thailand thanks thankyou thebest theking theman
thepassword thequickbrownfox theresa thisisapassword thisismypassword thomas thor three thumper thunder
thunderbird thursday tiffany tiger tigers tigger tigr timothy timur tinker tinkerbell titan titanic titanium
tobeornottobe today tokyo tomato tommy tomorrow tonight tony toor topgun topsecret tornado toshiba tottenham
toyota travis trewq trigger trinity trouble truck trucker trucks truelove trustinthelord trustme trustno
trustno1 trustnoone tsar tuesday tulip tulpan tupac turkey turquoise turtle turtles tweety twilight twister
twitter two tyler tyson ubuntu uchitel udacha ukraina undertaker unicorn united universe universitet ural usa
user username users ussr vacation vader vadim vagina valarmorghulis valentin valentina valentine valera valeria
valeriy valeriya valhalla vampir vampire vanessa vanilla vasilek vasiliy vasily vasya vector vegas vegeta venus
vera veronica verysecret vesna vfhbyf vfrcbv victor victoria victory vienna vietnam vika viking vikings viktor
viktoria viktoriya vincent violet viper virginia virgo vishnya vision vitalik vitaliy vitaly vivian vkontakte
vlad vladimir vladislav vodka volcano volcom voldemort volga volk volkov volkswagen volleyball volodya volvo
vova vyacheslav walker walter warcraft warez warrior warriors warszawa washington water watermelon wealth weapon
webmaster website wedding wednesday weekend welcome welcomeback welcomehome wendy westside whale whatever
whatismypassword whatsapp whatsmypassword whatsup whiskey white whitehouse whitney whoami whore wicked wife
wildcat wildcats wildfire william williams willie willow wilson wind windows windy wine winner winners winnie
winniethepooh winning winston winter winteriscoming wish wishes witch witcher wizard wolf wolfpack wolverine
wolves wonderful wonderwoman woody world worldofwarcraft worldwide wrestling wsxedc wsxqaz x123456 xander xavier
xbox xerox xmas xxxx xxxxxx yabloko yagodka yahoo yalublu yamaha yana yandex yankee yankees yaroslav
yatebyalublu yellow yesterday yfnfif yoda yolanda youllneverwalkalone yourpassword youshallnotpass youtube yoyo
ytrewq yulia yuliya yura yuri yuriy yvonne zachary zaq12wsx zaq1xsw2 zaq1zaq1 zaqwsx zaqxsw zaychik zayka
zdravstvuy zebra zelda zenit zeppelin zero zhenya zhizn zhora zidane zigzag zima zolushka zombie zoya zvezda
zvezdochka zxc123 zxcasd zxcasdqwe zxcv zxcvb zxcvbn zxcvbnm zxczxc zz123456 010203 01020304 0123456789 102030
10203040 1020304050 110110 111122223333444 111222333444555 111aaa 11223344 1122334455 112233445566
112358132134558 121212 123123 123123123123123 123321 12344321 1234554321 1234567890123 12345678901234567890
123456789123456789 123456789a 12345678a 12345678aa 1234567a 123456a 123456aa 123456abc 12345abc 12345qwert
1234abcd 1234qwer 123abc 123qwe 123qwe123 123qweasd 123qweasdzxc 12qwaszx 131313 147258369 147852369 159357
159753 1q2w3e 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1q2w3e4r5t6y7u8i9o0p 1qaz1qaz
1qaz2wsx 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw2 20202020 20212021 20222022 20232023 20242024 20252025 20262026
271828182845904 2wsx3edc 314159265358979 3141592653589793 321654987 741852963 789456123 963852741 987654321
админ администратор александр алексей алена алина анастасия ангел ангелочек андрей анна антон аня арбуз артем
бабушка байкал бог брат бухгалтер бухгалтерия вадим весна вика виктор виктория виталий вишня влад владимир
владислав вова волга волк вход вячеслав гость дарья даша дедушка демон денис деньги дима динамо директор дмитрий
доллар доступ дочка дочь дракон друг дружба друзья дьявол евгений егор екатерина елена жена женя жизнь завод
зайка зайчик звезда звездочка здравствуй зенит зима иван игорь илья ирина йцу йцуйцу йцукен йцукенг йцукенгшщз
йцукенгшщзхъ йцуфыв катя киев кирилл киска коля компания конфета королева король котенок котик кошка кристина
ксения лена ленинград лето леша локомотив любимая любимый люблю люблютебя любовь магазин максим максимка малина
мама мамочка марина мария маша медведь менеджер миллион минск мир михаил миша мойпароль москва муж настя наталья
наташа никита николай новыйпароль олег ольга оля орел осень офис павел папа папочка паролик пароль паша
петербург петр питер победа подруга пока полина пользователь привет приветик приветпривет принцесса пшеничка
работа роза роман ромашка россия рубль руслан рыбка саша света светлана свобода секрет семья сергей сережа
сестра сибирь склад снег собака сокол солнце солнышко софия спартак спасибо станислав степан студент счастье
сынок таня татьяна тигр тимур удача украина урал фирма футбол фыва фывапр фывапролджэ фывфыв хоккей цска школа
шоколад юлия юля юра юрий яжелаюсчастья ярослав ятебялюблю ячс ячсми ячсмить
`
    .trim()
    .split(/\s+/),
);
