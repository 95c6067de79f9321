"""What brings people to the demo clinic: courses of illness, each told in both languages."""

from dataclasses import dataclass, field
from random import Random

from salerno.contexts.prescribing.events import Medication


@dataclass(frozen=True, slots=True)
class Words:
    """The four parts of a note, with `{n}` for a number that differs from visit to visit."""

    subjective: tuple[str, ...]
    objective: str
    assessment: str
    plan: str


@dataclass(frozen=True, slots=True)
class Story:
    """A course: which doctor, how old people are who have it, how often they come, what is found and given."""

    name: str
    doctor: str
    ages: tuple[int, int]
    every_days: int
    code: str
    visit_type: str
    it: Words
    en: Words
    pressure: tuple[int, int] = (128, 78)
    medicines: tuple[Medication, ...] = ()
    glucose: int = 0
    extra: dict[str, float] = field(default_factory=dict)
    weight: int = 1

    def words(self, language: str) -> Words:
        return self.it if language == "it" else self.en


def medicine(name: str, dosage: str, frequency: str, duration: str = "30 giorni", quantity: str = "1") -> Medication:
    return Medication(name=name, dosage=dosage, frequency=frequency, duration=duration, quantity=quantity)


STORIES = (
    Story(
        "hypertension",
        "general",
        (45, 92),
        60,
        "I10",
        "follow-up",
        Words(
            (
                "Riferisce buona aderenza alla terapia, misura la pressione a casa: valori intorno a {n}/82.",
                "Qualche cefalea al mattino, valori domiciliari fino a {n}/90.",
            ),
            "Toni cardiaci validi e ritmici. Non edemi declivi.",
            "Ipertensione arteriosa essenziale, in discreto compenso.",
            "Prosegue la terapia. Dieta iposodica, cammino quotidiano. Controllo tra due mesi con diario pressorio.",
        ),
        Words(
            (
                "Takes the tablets regularly; home readings around {n}/82.",
                "Some morning headaches, home readings up to {n}/90.",
            ),
            "Regular heart sounds, no ankle oedema.",
            "Essential hypertension, fairly controlled.",
            "Carry on. Less salt, a daily walk. Back in two months with a blood-pressure diary.",
        ),
        (146, 86),
        (medicine("ramipril", "5 mg", "1 volta al giorno"),),
        weight=5,
    ),
    Story(
        "diabetes",
        "general",
        (48, 88),
        75,
        "E11.9",
        "follow-up",
        Words(
            (
                "Glicemie al mattino tra 120 e {n}. Nessuna ipoglicemia.",
                "Ha ripreso peso durante le feste, glicemie fino a {n}.",
            ),
            "Piedi: polsi presenti, sensibilità conservata.",
            "Diabete mellito tipo 2.",
            "Metformina invariata. Emoglobina glicata tra tre mesi, fondo oculare annuale.",
        ),
        Words(
            ("Morning glucose between 120 and {n}. No hypos.", "Put on weight over the holidays, readings up to {n}."),
            "Feet: pulses present, sensation intact.",
            "Type 2 diabetes.",
            "Metformin unchanged. HbA1c in three months, yearly eye check.",
        ),
        (134, 80),
        (medicine("metformina", "850 mg", "2 volte al giorno"),),
        148,
        weight=4,
    ),
    Story(
        "knee",
        "geriatrics",
        (62, 95),
        28,
        "M17.0",
        "acupuncture",
        Words(
            (
                "Dolore al ginocchio destro in lieve riduzione, scala {n} su 10 dopo la seduta precedente.",
                "Riesce a scendere le scale, dolore {n} su 10.",
            ),
            "Ginocchio destro: scroscio articolare, flessione 110°. Punti ST35, SP9, GB34.",
            "Gonartrosi bilaterale, risposta parziale all'agopuntura.",
            "Prosegue il ciclo di agopuntura. Paracetamolo al bisogno, evitare FANS. Fisioterapia.",
        ),
        Words(
            (
                "Right knee pain slightly better, {n} out of 10 since the last session.",
                "Manages the stairs, pain {n} out of 10.",
            ),
            "Right knee: crepitus, flexion 110°. Points ST35, SP9, GB34.",
            "Bilateral knee osteoarthritis, partly answering to acupuncture.",
            "Continue the course. Paracetamol when needed, no NSAIDs. Physiotherapy.",
        ),
        (136, 78),
        (medicine("paracetamolo", "1000 mg", "2 volte al giorno", "15 giorni"),),
        extra={"pain": 4},
        weight=4,
    ),
    Story(
        "migraine",
        "geriatrics",
        (19, 58),
        21,
        "G43.909",
        "acupuncture",
        Words(
            ("{n} giorni di emicrania nell'ultimo mese, meno intensa.",),
            "Obiettività neurologica nella norma. Punti LI4, GB20, LR3.",
            "Emicrania senza aura.",
            "Agopuntura settimanale per quattro settimane, diario della cefalea.",
        ),
        Words(
            ("{n} migraine days last month, less severe.",),
            "Normal neurological examination. Points LI4, GB20, LR3.",
            "Migraine without aura.",
            "Weekly acupuncture for four weeks, headache diary.",
        ),
        (118, 74),
        extra={"pain": 5},
        weight=2,
    ),
    Story(
        "fibrillation",
        "cardiology",
        (64, 93),
        90,
        "I48.91",
        "check-up",
        Words(
            ("Nessuna palpitazione, non sanguinamenti. Cammina {n} minuti al giorno.",),
            "Ritmo irregolare, frequenza controllata. Torace libero.",
            "Fibrillazione atriale in terapia anticoagulante.",
            "Apixaban e bisoprololo invariati. Emocromo e creatinina prima del prossimo controllo.",
        ),
        Words(
            ("No palpitations, no bleeding. Walks {n} minutes a day.",),
            "Irregular rhythm, rate controlled. Chest clear.",
            "Atrial fibrillation on an anticoagulant.",
            "Apixaban and bisoprolol unchanged. Blood count and creatinine before the next visit.",
        ),
        (130, 76),
        (medicine("apixaban", "5 mg", "2 volte al giorno"), medicine("bisoprololo", "2,5 mg", "1 volta al giorno")),
        weight=2,
    ),
    Story(
        "heart-failure",
        "cardiology",
        (68, 95),
        45,
        "I50.9",
        "follow-up",
        Words(
            ("Dispnea per sforzi moderati, dorme con {n} cuscini.",),
            "Lievi rantoli basali, edemi perimalleolari modesti.",
            "Scompenso cardiaco cronico, classe NYHA II.",
            "Furosemide al mattino, peso ogni giorno: chiamare se aumenta di 2 kg in tre giorni.",
        ),
        Words(
            ("Breathless on moderate effort, sleeps on {n} pillows.",),
            "Fine basal crackles, mild ankle oedema.",
            "Chronic heart failure, NYHA II.",
            "Furosemide in the morning, daily weight: call if it rises by 2 kg in three days.",
        ),
        (118, 70),
        (medicine("furosemide", "25 mg", "1 volta al giorno"), medicine("ramipril", "2,5 mg", "1 volta al giorno")),
        weight=2,
    ),
    Story(
        "thyroid",
        "general",
        (28, 80),
        120,
        "E03.9",
        "follow-up",
        Words(
            ("Meno stanchezza. TSH {n} nell'ultimo controllo.",),
            "Tiroide non palpabile, cute normale.",
            "Ipotiroidismo primario in trattamento.",
            "Levotiroxina invariata, a digiuno. TSH tra sei mesi.",
        ),
        Words(
            ("Less tired. TSH {n} at the last check.",),
            "Thyroid not palpable, skin normal.",
            "Primary hypothyroidism under treatment.",
            "Levothyroxine unchanged, on an empty stomach. TSH in six months.",
        ),
        (124, 76),
        (medicine("levotiroxina", "75 mcg", "1 volta al giorno", "90 giorni"),),
        weight=2,
    ),
    Story(
        "cold",
        "general",
        (2, 70),
        200,
        "J06.9",
        "consultation",
        Words(
            ("Da {n} giorni tosse, naso chiuso, febbricola.",),
            "Faringe iperemico, torace libero.",
            "Infezione acuta delle alte vie respiratorie.",
            "Riposo, idratazione, paracetamolo se febbre. Tornare se la febbre dura oltre tre giorni.",
        ),
        Words(
            ("Cough, blocked nose and slight fever for {n} days.",),
            "Red throat, chest clear.",
            "Acute upper respiratory infection.",
            "Rest, fluids, paracetamol for fever. Come back if fever lasts over three days.",
        ),
        (116, 72),
        extra={"temperature": 37.8},
        weight=3,
    ),
    Story(
        "back",
        "geriatrics",
        (35, 85),
        30,
        "M54.50",
        "acupuncture",
        Words(
            ("Lombalgia da sforzo, dolore {n} su 10, non irradiato.",),
            "Contrattura paravertebrale, Lasègue negativo.",
            "Lombalgia meccanica.",
            "Agopuntura, esercizi posturali, evitare riposo a letto.",
        ),
        Words(
            ("Low back pain after lifting, {n} out of 10, no radiation.",),
            "Paravertebral spasm, straight-leg raise negative.",
            "Mechanical low back pain.",
            "Acupuncture, posture exercises, no bed rest.",
        ),
        (126, 78),
        extra={"pain": 6},
        weight=2,
    ),
    Story(
        "frail",
        "geriatrics",
        (78, 99),
        60,
        "R54",
        "check-up",
        Words(
            ("La figlia riferisce {n} cadute negli ultimi sei mesi. Autonoma nell'igiene.",),
            "Cammino cauto con bastone, vista corretta.",
            "Fragilità dell'anziano, rischio di caduta.",
            "Revisione della casa, vitamina D, revisione dei farmaci sedativi, ginnastica dolce.",
        ),
        Words(
            ("Her daughter tells of {n} falls in the last six months. Washes by herself.",),
            "Careful gait with a stick, glasses in order.",
            "Frailty, risk of falling.",
            "Home check, vitamin D, review of sedatives, gentle exercise.",
        ),
        (132, 72),
        weight=2,
    ),
    Story(
        "asthma",
        "general",
        (8, 60),
        110,
        "J45.909",
        "follow-up",
        Words(
            ("Usa il broncodilatatore {n} volte a settimana.",),
            "Torace libero, non sibili. Picco di flusso nella norma.",
            "Asma lieve.",
            "Salbutamolo al bisogno, tecnica inalatoria rivista.",
        ),
        Words(
            ("Uses the reliever {n} times a week.",),
            "Chest clear, no wheeze. Normal peak flow.",
            "Mild asthma.",
            "Salbutamol when needed, inhaler technique reviewed.",
        ),
        (118, 74),
        (medicine("salbutamolo", "100 mcg", "al bisogno"),),
        weight=2,
    ),
    Story(
        "check",
        "cardiology",
        (40, 75),
        300,
        "Z00.00",
        "check-up",
        Words(
            ("Sta bene, cammina {n} km al giorno.",),
            "Obiettività nella norma. Elettrocardiogramma: ritmo sinusale.",
            "Visita di controllo senza rilievi.",
            "Prossimo controllo tra un anno.",
        ),
        Words(
            ("Feels well, walks {n} km a day.",),
            "Normal examination. ECG: sinus rhythm.",
            "Check-up without findings.",
            "Next check in a year.",
        ),
        (122, 76),
        weight=2,
    ),
)

BY_NAME = {story.name: story for story in STORIES}


def story_for(age: int, dice: Random) -> Story:
    """One that fits the age, the common ones more often."""
    fitting = [story for story in STORIES if story.ages[0] <= age <= story.ages[1]] or [BY_NAME["cold"]]
    return dice.choices(fitting, [story.weight for story in fitting])[0]


def vitals_of(story: Story, age: int, body: tuple[float, float], dice: Random) -> dict[str, float]:
    """A round of measurements that fits the story; children's pressures are not taken here."""
    weight, height = body
    found: dict[str, float] = {
        "heart_rate": float(round(dice.gauss(74 if age > 12 else 92, 7))),
        "temperature": round(story.extra.get("temperature", 36.5) + dice.uniform(-0.2, 0.3), 1),
        "spo2": float(dice.choice((96, 97, 97, 98, 98))),
        "respiratory_rate": float(dice.randint(13, 18) if age > 12 else dice.randint(18, 22)),
        "weight": round(weight + dice.uniform(-1.2, 1.2), 1),
        "height": height,
    }
    if age > 12:
        found["systolic"] = float(round(dice.gauss(story.pressure[0], 8)))
        found["diastolic"] = float(round(dice.gauss(story.pressure[1], 5)))
    if story.glucose:
        found["glucose"] = float(round(dice.gauss(story.glucose, 18)))
    if "pain" in story.extra:
        found["pain"] = float(max(0, min(10, round(dice.gauss(story.extra["pain"], 1.5)))))
    return found


__all__ = ["BY_NAME", "STORIES", "Story", "Words", "story_for", "vitals_of"]
