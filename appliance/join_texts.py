"""What the join page and the page of a wrong address say, in each language.

One key for one sentence, the same in all. What the join page says after that, of the ways to go on,
are the landing page's own words.
"""

ENGLISH = {
    "title": "Join {server_name}",
    "invited": "You are invited",
    "checking": "One moment …",
    "no_script": "This page makes your account with JavaScript, which is switched off here. Switch "
    "it on and load the page again; or make the account in an app on a computer, where the last "
    "part of this page's address is the registration token.",
    "user_name": "Your name here",
    "user_name_hint": "Lower-case letters, digits and . _ - = / + – it cannot be changed later, "
    "unlike the name that others see in chats.",
    "user_id": "Others will find you as",
    "password": "Password",
    "password_hint": "At least 8 characters. Nobody can tell it to you again, so keep it safe.",
    "password_again": "The password again",
    "show_passwords": "Show the passwords",
    "rules": "Rules of this server",
    "no_rules": "It has none of its own: be to others as you want them to be to you. The person "
    "who runs it may close an account.",
    "agree": "I have read the rules and will keep to them",
    "join": "Join",
    "joining": "Making your account …",
    "name_missing": "Choose a name.",
    "name_letters": "Only the letters a to z, digits and . _ - = / + can be in a name.",
    "name_long": "This name is too long.",
    "name_asking": "Looking whether this name is free …",
    "name_free": "This name is free.",
    "name_taken": "This name is taken: choose another one.",
    "name_refused": "The server does not allow this name: choose another one.",
    "password_short": "Choose a password of at least 8 characters.",
    "password_weak": "The server wants a stronger password: longer, with capital letters, digits "
    "and signs.",
    "password_differs": "These are two different passwords.",
    "rules_open": "Tick this once you have read the rules.",
    "waiting": "Many people are at the door. This goes on by itself in some seconds …",
    "no_answer": "The server does not answer now. Nothing is lost: try again in a moment.",
    "failed": "The server refused this, and this page does not know why. Ask the person who "
    "invited you.",
    "invalid": "This invitation is not good any more",
    "invalid_text": "It has been used already, its time is over, or a part of the link is missing. "
    "That is easily mended: ask the person who invited you for a new link.",
    "invalid_member": "If it was you who used it, you have an account already:",
    "invalid_member_link": "how to go on",
    "closed": "This server takes nobody in now",
    "closed_text": "The person who runs it has closed its doors for the moment. Ask them.",
    "welcome": "Welcome",
    "welcome_text": "Your account is there. Choose how to go on, and sign in with your name and "
    "password. All these ways lead to the same account, on as many devices as you like.",
    "sign_in_browser": "Sign in at {brand}",
    "lost": "There is nothing here",
    "lost_text": "The address may be mistyped, or what was here is gone.",
    "lost_link": "To the first page of this server",
}

ITALIAN = {
    "title": "Entra in {server_name}",
    "invited": "Hai ricevuto un invito",
    "checking": "Un momento …",
    "no_script": "Questa pagina crea il tuo account con JavaScript, che qui è disattivato. "
    "Attivalo e ricarica la pagina; oppure crea l'account con un'app su un computer: l'ultima "
    "parte dell'indirizzo di questa pagina è il token di registrazione.",
    "user_name": "Il tuo nome qui",
    "user_name_hint": "Lettere minuscole, cifre e . _ - = / + – non si può cambiare in seguito, a "
    "differenza del nome che gli altri vedono nelle chat.",
    "user_id": "Gli altri ti troveranno come",
    "password": "Password",
    "password_hint": "Almeno 8 caratteri. Nessuno può ridirtela: conservala bene.",
    "password_again": "Di nuovo la password",
    "show_passwords": "Mostra le password",
    "rules": "Regole di questo server",
    "no_rules": "Non ne ha di sue: comportati con gli altri come vuoi che si comportino con te. "
    "Chi lo gestisce può chiudere un account.",
    "agree": "Ho letto le regole e le rispetterò",
    "join": "Entra",
    "joining": "Sto creando il tuo account …",
    "name_missing": "Scegli un nome.",
    "name_letters": "Un nome può contenere solo le lettere dalla a alla z, cifre e . _ - = / +",
    "name_long": "Questo nome è troppo lungo.",
    "name_asking": "Controllo se questo nome è libero …",
    "name_free": "Questo nome è libero.",
    "name_taken": "Questo nome è già preso: scegline un altro.",
    "name_refused": "Il server non ammette questo nome: scegline un altro.",
    "password_short": "Scegli una password di almeno 8 caratteri.",
    "password_weak": "Il server vuole una password più forte: più lunga, con maiuscole, cifre e "
    "segni.",
    "password_differs": "Sono due password diverse.",
    "rules_open": "Spunta qui dopo aver letto le regole.",
    "waiting": "C'è la fila alla porta. Si prosegue da soli fra qualche secondo …",
    "no_answer": "Il server ora non risponde. Nulla è perso: riprova fra un momento.",
    "failed": "Il server ha rifiutato e questa pagina non sa perché. Chiedi a chi ti ha invitato.",
    "invalid": "Questo invito non vale più",
    "invalid_text": "È già stato usato, è scaduto, oppure manca una parte del collegamento. Si "
    "rimedia facilmente: chiedi un nuovo collegamento a chi ti ha invitato.",
    "invalid_member": "Se l'hai usato tu, hai già un account:",
    "invalid_member_link": "come proseguire",
    "closed": "Ora questo server non accoglie nessuno",
    "closed_text": "Chi lo gestisce per il momento ha chiuso le porte. Chiedi a lui o a lei.",
    "welcome": "Ti diamo il benvenuto",
    "welcome_text": "Il tuo account è pronto. Scegli come proseguire e accedi con il tuo nome e la "
    "password. Tutte queste vie portano allo stesso account, su quanti dispositivi vuoi.",
    "sign_in_browser": "Accedi a {brand}",
    "lost": "Qui non c'è nulla",
    "lost_text": "L'indirizzo può essere sbagliato, oppure ciò che c'era non c'è più.",
    "lost_link": "Alla prima pagina di questo server",
}

TRANSLATIONS = {"en": ENGLISH, "it": ITALIAN}
