"""Names for the people of the demo world, in several languages and scripts, by a seeded generator.

Common given and family names put together by chance: no person is meant, and whoever bears such a name is a
coincidence. Imports nothing of ours.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

Spelled = tuple[str, str]  # as in the passport's Latin line, in the original script


class Sex(IntEnum):
    """ISO/IEC 5218."""

    MALE = 1
    FEMALE = 2


@dataclass(frozen=True, slots=True)
class PersonName:
    """`script` (ISO 15924) is that of the originals; for Latn they are the Latin spelling itself."""

    given: str
    family: str
    given_original: str
    family_original: str
    script: str
    sex: Sex


@dataclass(frozen=True, eq=False)
class NameBook:
    """The names of one nationality, the frequent ones first. A family name may have a form for women."""

    script: str
    male: tuple[Spelled, ...]
    female: tuple[Spelled, ...]
    family_of_men: tuple[Spelled, ...]
    family_of_women: tuple[Spelled, ...]
    second_name: float = 0.0  # share of people with two given names
    patronymic: bool = False  # the second part is the father's given name, not a family's


def make_people(
    rng: np.random.Generator, n: int, nationality: str, sexes: NDArray[np.integer] | None = None
) -> list[PersonName]:
    """n names for an ISO 3166-1 alpha-3 nationality; half men, half women unless `sexes` (ISO 5218) is given.

    The same generator state gives the same names. Raises KeyError for a nationality without a book.
    """
    book = name_book(nationality)
    drawn = rng.integers(Sex.MALE, Sex.FEMALE + 1, n) if sexes is None else sexes
    male = np.asarray(drawn) == Sex.MALE
    given, second = (_pick(rng.random(n), male, len(book.male), len(book.female)) for _ in range(2))
    family = _pick(rng.random(n), male, len(book.family_of_men), len(book.family_of_women))
    double = (rng.random(n) < book.second_name) & (given != second)
    rows = zip(male.tolist(), given.tolist(), second.tolist(), family.tolist(), double.tolist(), strict=True)
    return [_person(book, *row) for row in rows]


def _pick(chance: NDArray[np.float64], male: NDArray[np.bool_], men: int, women: int) -> NDArray[np.intp]:
    """Indices into the list of the person's sex; the n-th name is borne about as often as 1/(n+10)."""
    return np.where(male, np.searchsorted(_shares(men), chance), np.searchsorted(_shares(women), chance))


@cache
def _shares(count: int) -> NDArray[np.float64]:
    weights = np.cumsum(1.0 / np.arange(10, 10 + count))
    return np.asarray(weights[:-1] / weights[-1], dtype=np.float64)


def _person(book: NameBook, male: bool, given: int, second: int, family: int, double: bool) -> PersonName:
    firsts, families = (book.male, book.family_of_men) if male else (book.female, book.family_of_women)
    (latin, original), (family_latin, family_original) = firsts[given], families[family]
    if double:
        latin, original = f"{latin} {firsts[second][0]}", f"{original} {firsts[second][1]}"
    sex = Sex.MALE if male else Sex.FEMALE
    return PersonName(latin, family_latin, original, family_original, book.script, sex)


def family_name_from(parent: PersonName, nationality: str, sex: Sex) -> Spelled:
    """The family name (Latin, original) that a child, or a spouse who takes it, has from `parent`.

    `nationality` is the parent's. In a patronymic book: the father's given name (for children only), or the
    mother's own second part.
    """
    book = name_book(nationality)
    if book.patronymic:
        return (parent.given, parent.given_original) if parent.sex is Sex.MALE else _family(parent)
    own, wanted = (book.family_of_men if bearer is Sex.MALE else book.family_of_women for bearer in (parent.sex, sex))
    return wanted[own.index(_family(parent))] if _family(parent) in own else _family(parent)


def _family(person: PersonName) -> Spelled:
    return person.family, person.family_original


def _spelled(names: str) -> tuple[Spelled, ...]:
    """`Latin=original, Latin` into pairs."""
    pairs = (name.strip().partition("=") for name in names.split(","))
    return tuple((latin, original or latin) for latin, _, original in pairs)


def _book(script: str, male: str, female: str, family: str, women: str = "", second: float = 0.0) -> NameBook:
    """`family` empty: patronymic. `women`: the forms for women in the order of `family`, if they differ."""
    men, families = _spelled(male), _spelled(family or male)
    return NameBook(script, men, _spelled(female), families, _spelled(women) if women else families, second, not family)


def nationalities() -> tuple[str, ...]:
    """Those that have a book."""
    return tuple(_BOOKS)


def name_book(nationality: str) -> NameBook:
    """Raises KeyError for a nationality without a book."""
    return _BOOKS[nationality]


_BOOKS = {
    "PHL": _book(
        "Latn",
        "Jose, Juan, Mark, John, Christian, Antonio, Ramon, Michael, Jayson, Jerome, Rommel, Rodel, Arnel,"
        "Paul, Renato, Danilo, Edgardo, Ernesto, Reynaldo, Rolando, Romeo, Noel, Joel, Allan, Dennis,"
        "Angelo, Gabriel, Francis, Vincent, Emmanuel, Crisanto, Isagani, Efren, Nestor, Leandro, Marlon,"
        "Jomar, Aldrin, Wilfredo, Bayani, Jericho, Dante, Florante, Virgilio, Zaldy, Gerardo, Alvin,"
        "Rogelio, Teodoro, Melvin",
        "Maria, Mary, Ana, Cristina, Jocelyn, Maricel, Grace, Joy, Rosario, Lourdes, Teresita, Rowena,"
        "Rosalie, Marites, Analyn, Liezl, Jennilyn, Angelica, Bernadette, Carmela, Dolores, Esperanza, Fe,"
        "Gloria, Ligaya, Luzviminda, Marivic, Melanie, Nenita, Norma, Princess, Remedios, Rhodora, Shirley,"
        "Sheila, Vilma, Zenaida, Amihan, Evelyn, Jasmine, Cherry, Lorna, Mylene, Nimfa, Perlita, Rizalyn,"
        "Salvacion, Yolanda",
        "Santos, Reyes, dela Cruz, Garcia, Mendoza, Bautista, Ocampo, Villanueva, Ramos, Castillo, Flores,"
        "Gonzales, Torres, Rivera, Domingo, Mercado, Salazar, Aguilar, Navarro, Soriano, Valdez, Manalo,"
        "Magsino, Dimaculangan, Macaraeg, Pangilinan, Lumibao, Batungbakal, Catapang, Dimaandal, Panganiban,"
        "Tolentino, Malonzo, Abad, Alonzo, Peña, Muñoz, Ibañez, Nuñez, Evangelista, Francisco, Lualhati,"
        "Samonte, Bacani, de Guzman, delos Reyes, San Jose, Sta. Maria, Katigbak, Makalintal, Cabrera,"
        "Padilla, Tuazon, Velasco, Agbayani, Baluyot, Cayabyab, Dagohoy, Gatdula, Hidalgo, Ilagan, Javier,"
        "Lagman, Maglalang, Natividad, Ongpauco, Punzalan, Quizon, Rosales, Sumulong, Tamayo, Umali, Yambao,"
        "Zamora",
        second=0.35,
    ),
    "MAR": _book(
        "Arab",
        "Mohammed=محمد, Ahmed=أحمد, Youssef=يوسف, Hassan=حسن, Rachid=رشيد, Said=سعيد, Hicham=هشام,"
        "Abdellah=عبد الله, Mustapha=مصطفى, Khalid=خالد, Karim=كريم, Omar=عمر, Brahim=إبراهيم, Driss=إدريس,"
        "Jamal=جمال, Noureddine=نور الدين, Abdelkader=عبد القادر, Aziz=عزيز, Anas=أنس, Ayoub=أيوب,"
        "Amine=أمين, Bilal=بلال, Soufiane=سفيان, Tarik=طارق, Othmane=عثمان, Ismail=إسماعيل, Mehdi=مهدي,"
        "Redouane=رضوان, Lahcen=لحسن, Zakaria=زكرياء, Hamza=حمزة, Mourad=مراد, Nabil=نبيل, Fouad=فؤاد",
        "Fatima=فاطمة, Khadija=خديجة, Aicha=عائشة, Zineb=زينب, Meryem=مريم, Naima=نعيمة, Malika=مليكة,"
        "Latifa=لطيفة, Samira=سميرة, Hanane=حنان, Nadia=نادية, Salma=سلمى, Imane=إيمان, Houda=هدى,"
        "Karima=كريمة, Rachida=رشيدة, Saida=سعيدة, Souad=سعاد, Amina=أمينة, Sanae=سناء, Ghizlane=غزلان,"
        "Ikram=إكرام, Wafae=وفاء, Hajar=هاجر, Asmae=أسماء, Loubna=لبنى, Bouchra=بشرى, Jamila=جميلة,"
        "Rkia=رقية, Safae=صفاء, Fatima Zahra=فاطمة الزهراء, Siham=سهام, Nawal=نوال, Chaimae=شيماء",
        "El Idrissi=الإدريسي, Alaoui=العلوي, Benali=بنعلي, Bennani=بناني, El Amrani=العمراني, Tazi=التازي,"
        "Berrada=برادة, Chraibi=الشرايبي, El Fassi=الفاسي, Lahlou=لحلو, Cherkaoui=الشرقاوي,"
        "El Mansouri=المنصوري, Ouazzani=الوزاني, Filali=الفيلالي, El Khattabi=الخطابي, Bouazza=بوعزة,"
        "Ait Lahcen=أيت لحسن, Ait Brahim=أيت إبراهيم, Zeroual=زروال, Naciri=الناصري, Sebti=السبتي,"
        "El Haddad=الحداد, Najjar=النجار, El Boukhari=البخاري, Rifi=الريفي, Slaoui=السلاوي,"
        "Doukkali=الدكالي, Soussi=السوسي, Tahiri=الطاهري, Ziani=الزياني, Kabbaj=القباج, Mernissi=المرنيسي,"
        "Senhaji=الصنهاجي, Zemmouri=الزموري, Hamdaoui=الحمداوي, Belhaj=بلحاج, Bouziane=بوزيان,"
        "El Ghazi=الغازي, Lamrini=المريني, Benchekroun=بنشقرون, Ben Said=بن سعيد, El Yacoubi=اليعقوبي,"
        "Jabri=الجابري",
    ),
    "TUR": _book(
        "Latn",
        "Mehmet, Mustafa, Ahmet, Ali, Hüseyin, Hasan, İbrahim, İsmail, Osman, Yusuf, Murat, Ömer, Emre,"
        "Burak, Serkan, Cem, Kerem, Volkan, Uğur, Çağlar, Barış, Tolga",
        "Fatma, Ayşe, Emine, Hatice, Zeynep, Elif, Meryem, Şerife, Sultan, Hanife, Merve, Özlem, Esra,"
        "Büşra, Gül, Derya, Sevgi, Çiğdem, Nurcan, İpek, Yasemin, Tuğba",
        "Yılmaz, Kaya, Demir, Çelik, Şahin, Yıldız, Öztürk, Aydın, Özdemir, Arslan, Doğan, Kılıç, Çetin,"
        "Kara, Koç, Kurt, Özkan, Şimşek, Polat, Korkmaz, Güneş, Aksoy, Taş, Bulut, Keskin, Ünal, Işık, Avcı",
    ),
    "GRC": _book(
        "Grek",
        "Georgios=Γεώργιος, Ioannis=Ιωάννης, Konstantinos=Κωνσταντίνος, Dimitrios=Δημήτριος,"
        "Nikolaos=Νικόλαος, Panagiotis=Παναγιώτης, Vasileios=Βασίλειος, Christos=Χρήστος,"
        "Athanasios=Αθανάσιος, Michail=Μιχαήλ, Evangelos=Ευάγγελος, Spyridon=Σπυρίδων, Antonios=Αντώνιος,"
        "Stavros=Σταύρος, Petros=Πέτρος",
        "Maria=Μαρία, Eleni=Ελένη, Aikaterini=Αικατερίνη, Vasiliki=Βασιλική, Sofia=Σοφία, Georgia=Γεωργία,"
        "Angeliki=Αγγελική, Dimitra=Δήμητρα, Anna=Άννα, Ioanna=Ιωάννα, Panagiota=Παναγιώτα,"
        "Konstantina=Κωνσταντίνα, Despoina=Δέσποινα, Kalliopi=Καλλιόπη, Zoi=Ζωή",
        "Papadopoulos=Παπαδόπουλος, Vlachos=Βλάχος, Angelopoulos=Αγγελόπουλος, Nikolaidis=Νικολαΐδης,"
        "Georgiou=Γεωργίου, Oikonomou=Οικονόμου, Petridis=Πετρίδης, Makris=Μακρής, Karagiannis=Καραγιάννης,"
        "Dimitriou=Δημητρίου, Antoniadis=Αντωνιάδης, Stavropoulos=Σταυρόπουλος, Galanis=Γαλάνης,"
        "Raptis=Ράπτης, Lamprou=Λάμπρου, Kyriakou=Κυριακού",
        "Papadopoulou=Παπαδοπούλου, Vlachou=Βλάχου, Angelopoulou=Αγγελοπούλου, Nikolaidou=Νικολαΐδου,"
        "Georgiou=Γεωργίου, Oikonomou=Οικονόμου, Petridou=Πετρίδου, Makri=Μακρή, Karagianni=Καραγιάννη,"
        "Dimitriou=Δημητρίου, Antoniadou=Αντωνιάδου, Stavropoulou=Σταυροπούλου, Galani=Γαλάνη, Rapti=Ράπτη,"
        "Lamprou=Λάμπρου, Kyriakou=Κυριακού",
    ),
    "ITA": _book(
        "Latn",
        "Marco, Giuseppe, Antonio, Giovanni, Luca, Andrea, Francesco, Matteo, Stefano, Paolo, Davide,"
        "Roberto, Nicolò, Salvatore, Vincenzo, Alessio, Simone",
        "Maria, Anna, Giulia, Francesca, Chiara, Sara, Elena, Paola, Federica, Valentina, Martina,"
        "Alessandra, Rosa, Angela, Lucia, Noemi, Ilaria",
        "Rossi, Russo, Ferrari, Esposito, Bianchi, Romano, Colombo, Ricci, Marino, Greco, Bruno, Gallo,"
        "Conti, De Luca, Costa, Giordano, Mancini, Rizzo, Lombardi, Moretti, D'Angelo, Lo Presti, Nicolò,"
        "Dalla Costa",
    ),
    "ETH": _book(
        "Ethi",
        "Abebe=አበበ, Kebede=ከበደ, Tesfaye=ተስፋዬ, Getachew=ጌታቸው, Dawit=ዳዊት, Solomon=ሰለሞን, Yohannes=ዮሐንስ,"
        "Bekele=በቀለ, Alemu=ዓለሙ, Girma=ግርማ, Mulugeta=ሙሉጌታ, Tadesse=ታደሰ, Worku=ወርቁ, Samuel=ሳሙኤል, Mesfin=መስፍን,"
        "Assefa=አሰፋ, Negash=ነጋሽ, Berhanu=ብርሃኑ, Daniel=ዳንኤል, Ayele=አየለ",
        "Almaz=አልማዝ, Tigist=ትዕግስት, Hirut=ሂሩት, Meseret=መሰረት, Selamawit=ሰላማዊት, Bethlehem=ቤተልሔም, Genet=ገነት,"
        "Aster=አስቴር, Marta=ማርታ, Hanna=ሐና, Rahel=ራሔል, Tsehay=ፀሐይ, Zenebech=ዘነበች, Yeshi=የሺ, Worknesh=ወርቅነሽ,"
        "Senait=ሰናይት, Kidist=ቅድስት, Mekdes=መቅደስ, Saba=ሳባ, Lemlem=ለምለም",
        "",
    ),
    "IND": _book(
        "Deva",
        "Rajesh=राजेश, Suresh=सुरेश, Amit=अमित, Vijay=विजय, Sanjay=संजय, Anil=अनिल, Deepak=दीपक, Manoj=मनोज,"
        "Arun=अरुण, Ravi=रवि, Mohan=मोहन, Ashok=अशोक, Vikram=विक्रम, Nikhil=निखिल, Prakash=प्रकाश",
        "Sunita=सुनीता, Anita=अनीता, Priya=प्रिया, Pooja=पूजा, Neha=नेहा, Kavita=कविता, Rekha=रेखा,"
        "Meena=मीना, Anjali=अंजलि, Asha=आशा, Lakshmi=लक्ष्मी, Radha=राधा, Shanti=शांति, Geeta=गीता,"
        "Savita=सविता",
        "Sharma=शर्मा, Verma=वर्मा, Gupta=गुप्ता, Singh=सिंह, Yadav=यादव, Mishra=मिश्रा, Pandey=पांडेय,"
        "Joshi=जोशी, Patel=पटेल, Chauhan=चौहान, Tiwari=तिवारी, Saxena=सक्सेना, Agarwal=अग्रवाल, Mehta=मेहता,"
        "Thakur=ठाकुर, Dubey=दुबे, Rawat=रावत, Bhatt=भट्ट, Nair=नायर, Chaudhary=चौधरी",
    ),
    "CHN": _book(
        "Hans",
        "Wei=伟, Lei=磊, Jun=军, Yang=洋, Yong=勇, Jie=杰, Tao=涛, Ming=明, Chao=超, Jianguo=建国,"
        "Zhiqiang=志强, Haoran=浩然, Yuxuan=宇轩, Xiaofeng=晓峰, Wenbin=文斌",
        "Fang=芳, Min=敏, Jing=静, Li=丽, Yan=艳, Xia=霞, Ping=萍, Hong=红, Xiuying=秀英, Guiying=桂英,"
        "Yuting=雨婷, Xinyi=欣怡, Meilin=美琳, Lihua=丽华, Xiaoyan=晓燕",
        "Wang=王, Li=李, Zhang=张, Liu=刘, Chen=陈, Yang=杨, Huang=黄, Zhao=赵, Wu=吴, Zhou=周, Xu=徐,"
        "Sun=孙, Ma=马, Zhu=朱, Hu=胡, Guo=郭, He=何, Lin=林, Luo=罗, Gao=高, Zheng=郑, Ouyang=欧阳",
    ),
}
