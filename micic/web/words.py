"""The words for codes: one table per kind of code, in English, marked for translation. No sentence is built here."""

from collections.abc import Mapping


def N_(text: str) -> str:  # noqa: N802 - the name that extraction tools look for
    """Mark a text for translation without translating it yet."""
    return text


Words = Mapping[object, str]

WORDS: Mapping[str, Words] = {
    "severity": {
        None: N_("not stated"),
        0: N_("information"),
        1: N_("minor"),
        2: N_("moderate"),
        3: N_("severe"),
        4: N_("extreme"),
    },
    "presence": {
        "inside": N_("inside"),
        "possible": N_("possibly inside"),
        "unknown": N_("place not known"),
    },
    "answer": {"safe": N_("safe"), "need_help": N_("needs help"), "silent": N_("no answer")},
    "change": {
        "entered": N_("entered"),
        "left": N_("left"),
        "raised": N_("raised"),
        "lowered": N_("lowered"),
        "firmed": N_("firmed"),
        "loosened": N_("loosened"),
    },
    "change_meaning": {
        "entered": N_("not concerned before, concerned now"),
        "left": N_("concerned before, not any more"),
        "raised": N_("in a more severe zone than before"),
        "lowered": N_("in a less severe zone than before"),
        "firmed": N_("possibly inside before, inside now"),
        "loosened": N_("inside before, only possibly now"),
    },
    "cause": {
        "message": N_("new version of the alert"),
        "declaration": N_("area declared"),
        "move": N_("people moved"),
        "confirmation": N_("place confirmed"),
        "expiry": N_("a zone ended"),
        "correction": N_("record corrected"),
        "merge": N_("records merged"),
        "clock": N_("time passed"),
        "everything": N_("full check"),
    },
    "zone": {
        "affected": N_("affected area"),
        "warned": N_("warned area"),
        "band": N_("band"),
        "declared": N_("declared by a crisis cell"),
        "forecast_cone": N_("forecast cone"),
        "track": N_("track"),
        "detection": N_("detection"),
        "region": N_("region, coarse"),
        "advisory_region": N_("advisory region, coarse"),
        "country": N_("whole country"),
    },
    "basis": {
        "native": N_("as drawn by the source"),
        "circle_buffered": N_("circle drawn by our rule"),
        "geocode_resolved": N_("from an area code"),
        "prose": N_("read from prose"),
        "centroid": N_("around a centre"),
        "country": N_("the country"),
        "none": N_("no geometry"),
    },
    "list": {"assistance": N_("Assistance list"), "evacuation": N_("Evacuation list")},
    "list_status": {"frozen": N_("not released"), "released": N_("released"), "withdrawn": N_("withdrawn")},
    "campaign": {
        "draft": N_("draft"),
        "pending_approval": N_("waits for approval"),
        "approved": N_("approved"),
        "sending": N_("sending"),
        "paused": N_("paused"),
        "stopped": N_("stopped"),
        "done": N_("done"),
    },
    "notification": {
        "created": N_("waiting"),
        "sending": N_("being handed over"),
        "sent": N_("handed over"),
        "delivered": N_("delivered"),
        "uncertain": N_("uncertain"),
        "temporary_failure": N_("will be tried again"),
        "permanent_failure": N_("failed"),
        "expired": N_("expired unsent"),
        "stopped": N_("stopped"),
    },
    "step": {
        "alert": N_("first alert"),
        "update": N_("update"),
        "cancel": N_("cancelled"),
        "all_clear": N_("all clear"),
        "info": N_("information"),
        "advisory": N_("advisory"),
        "error": N_("error notice"),
        "declared": N_("area declared"),
        "area_ended": N_("area ended"),
    },
    "verdict": {"accepted": N_("accepted"), "held": N_("held"), "rejected": N_("rejected")},
    "status": {
        "actual": N_("actual"),
        "exercise": N_("EXERCISE"),
        "test": N_("TEST"),
        "system": N_("SYSTEM"),
        "draft": N_("DRAFT"),
    },
    "source": {
        "check_in": N_("check-in"),
        "officer": N_("officer"),
        "third_party": N_("third party"),
        "detention": N_("place of custody"),
        "vessel": N_("vessel"),
        "flight": N_("flight"),
        "trip_leg": N_("trip"),
        "residence": N_("residence"),
        "household": N_("head of household"),
        "jurisdiction": N_("country only"),
    },
    "radius": {
        1: N_("within 50 m"),
        2: N_("within 500 m"),
        3: N_("within 5 km"),
        4: N_("within 25 km"),
        5: N_("within 100 km"),
        6: N_("country only"),
    },
    "recipient": {
        "internal": N_("our own staff"),
        "consular": N_("another consular post"),
        "civil_protection": N_("civil protection and rescue"),
        "red_cross": N_("Red Cross or Red Crescent"),
        "carrier": N_("carrier"),
    },
}


def word(kind: str, code: object) -> str:
    """The English word for a code; the code itself where there is none, so that nothing is hidden."""
    return WORDS[kind].get(code, str(code))
