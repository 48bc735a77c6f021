"""The wording: what an *inform* message says, and our own words for severities. Calm, short, without a number to
call: a post that wants its number in the text writes a template of its own, which two people approve.
"""

# CAP 1.2 severities by our code 0-4, as an adjective beside "alert".
SEVERITY_WORDS: dict[str, tuple[str, str, str, str, str]] = {
    "en": ("not stated", "minor", "moderate", "severe", "extreme"),
    "fr": ("non précisée", "mineure", "modérée", "grave", "extrême"),
    "ar": ("غير محددة", "طفيفة", "متوسطة", "شديدة", "بالغة الشدة"),
    "tl": ("hindi tinukoy", "mababa", "katamtaman", "matindi", "napakatindi"),
}

NO_TITLE = {"en": "Emergency", "fr": "Situation d'urgence", "ar": "حالة طوارئ", "tl": "Emerhensiya"}

INFORM = "inform"

_ENGLISH = """\
{title}
Place: {place}. Severity: {severity_word}.

According to our records, you or a member of your household may be in or near the area concerned.

What to do now:
- Follow the instructions of the local authorities. They come before anything in this message.
- If your life is in danger, call the local emergency services.
- Keep your telephone charged, and your documents and medicines with you.
- Look after those near you, if you can do so safely.

Please tell us how you are, for yourself and your household:

{answer_link}

The link is meant for you alone. It asks for no password, no payment and no document number.
Your answer serves to help you. Immigration control does not see it.

{post_name} ({issuer})
Sent {issued_at}. Valid until {expires_at}.
Reference {reference}. If this message reaches you twice with the same reference, it is the same message.
Nobody reads answers to this address: please use the link.
"""

_FRENCH = """\
{title}
Lieu : {place}. Gravité : {severity_word}.

D'après notre registre, vous ou un membre de votre foyer pourriez vous trouver dans la zone concernée ou à proximité.

Que faire maintenant :
- Suivez les consignes des autorités locales. Elles priment sur tout ce que dit ce message.
- Si votre vie est en danger, appelez les services de secours locaux.
- Gardez votre téléphone chargé, et vos documents et médicaments avec vous.
- Aidez les personnes proches de vous, si vous pouvez le faire sans danger.

Dites-nous comment vous allez, pour vous et votre foyer :

{answer_link}

Ce lien n'est destiné qu'à vous. Il ne demande ni mot de passe, ni paiement, ni numéro de document.
Votre réponse sert à vous aider. Les services de contrôle de l'immigration ne la voient pas.

{post_name} ({issuer})
Envoyé le {issued_at}. Valable jusqu'au {expires_at}.
Référence {reference}. Si ce message vous parvient deux fois avec la même référence, c'est le même message.
Personne ne lit les réponses envoyées à cette adresse : utilisez le lien.
"""

_ARABIC = """\
{title}
المكان: {place}. درجة الخطورة: {severity_word}.

تفيد سجلاتنا بأنك أنت أو أحد أفراد أسرتك قد تكونون في المنطقة المعنية أو بالقرب منها.

ما ينبغي فعله الآن:
- اتبع تعليمات السلطات المحلية، فهي مقدمة على كل ما ورد في هذه الرسالة.
- إذا كانت حياتك في خطر فاتصل بخدمات الطوارئ المحلية.
- أبقِ هاتفك مشحونًا، واحتفظ بوثائقك وأدويتك معك.
- ساعد من حولك إن استطعت ذلك بأمان.

نرجو أن تخبرنا عن حالك وحال أسرتك:

{answer_link}

هذا الرابط مخصص لك وحدك. ولا يطلب كلمة مرور ولا مالًا ولا رقم وثيقة.
جوابك يُستخدم لمساعدتك، ولا تطّلع عليه سلطات مراقبة الهجرة.

{post_name} ({issuer})
أُرسلت في {issued_at}. صالحة حتى {expires_at}.
الرقم المرجعي {reference}. إذا وصلتك هذه الرسالة مرتين بالرقم المرجعي نفسه فهي الرسالة ذاتها.
لا أحد يقرأ الردود على هذا العنوان، فاستخدم الرابط.
"""

_TAGALOG = """\
{title}
Lugar: {place}. Tindi: {severity_word}.

Ayon sa aming talaan, maaaring ikaw o ang isang miyembro ng iyong sambahayan ay nasa apektadong lugar o malapit dito.

Ano ang gagawin ngayon:
- Sundin ang mga tagubilin ng lokal na awtoridad. Mas mahalaga ang mga ito kaysa anumang nasa mensaheng ito.
- Kung nanganganib ang iyong buhay, tawagan ang lokal na serbisyong pang-emerhensiya.
- Panatilihing may karga ang iyong telepono, at dalhin ang iyong mga dokumento at gamot.
- Tulungan ang mga nasa paligid mo, kung magagawa mo ito nang ligtas.

Sabihin sa amin ang kalagayan mo at ng iyong sambahayan:

{answer_link}

Para sa iyo lamang ang link na ito. Hindi ito humihingi ng password, bayad o numero ng dokumento.
Ang iyong sagot ay para matulungan ka. Hindi ito nakikita ng kontrol sa imigrasyon.

{post_name} ({issuer})
Ipinadala {issued_at}. May bisa hanggang {expires_at}.
Sanggunian {reference}. Kung dumating ito nang dalawang beses na may parehong sanggunian, iisang mensahe ito.
Walang nagbabasa ng mga sagot sa address na ito: gamitin ang link.
"""

# name -> language -> (subject, body)
DEFAULT_TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    INFORM: {
        "en": ("Please read: {title}", _ENGLISH),
        "fr": ("À lire : {title}", _FRENCH),
        "ar": ("يرجى القراءة: {title}", _ARABIC),
        "tl": ("Mangyaring basahin: {title}", _TAGALOG),
    }
}
