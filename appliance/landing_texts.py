"""What the landing page says, in each language; one key for one sentence, the same in all."""

ENGLISH = {
    "kind": "Matrix server",
    "lead": "Chat here with people you know, from any device.",
    "lead_private": "A private trial on this machine. Nobody else can reach it.",
    "browser": "In this browser",
    "browser_text": "Nothing to install.",
    "open": "Open {brand}",
    "phone": "On a phone",
    "phone_install": "Install Element X from your phone's app store.",
    "phone_scan": "Scan this code with the camera: it leads to this server.",
    "phone_sign_in": "Sign in with your name and password.",
    "phone_link": "No second screen? Follow this link on the phone",
    "phone_code": "Code for phones: opens Element X with the server {server_name}",
    "phone_trial": "A phone cannot reach a trial. With a domain of your own "
    "(the variable MATRIX_DOMAIN) this page shows the code for it.",
    "other": "With another app",
    "other_text": "Every Matrix app works, such as Element on a computer, FluffyChat, Cinny or "
    "Fractal: choose another server when you sign in or make an account, and enter",
    "other_address": "If it asks for the address of the homeserver:",
    "account": "Your account",
    "account_open": "Make it in an app on a computer, where you choose “Create account”; phones "
    "then sign in to it. No e-mail address is needed.",
    "account_token": "You make it yourself, on a phone or a computer, with a link that the person "
    "who runs this server gives you. No e-mail address is needed.",
    "account_closed": "The person who runs this server makes it for you: ask for a name and a "
    "password.",
    "account_name": "Others find you as",
    "name": "name",
    "networks": "People on other networks",
    "networks_text": "Write to them from here, with the account you have there: start a chat with "
    "the bot of that network, and say what stands beside it.",
    "trust": "First, trust this server",
    "trust_text": "It vouches for itself, so each device has to be told once that you trust it. "
    "Without that, browsers warn and apps refuse to connect.",
    "trust_download": "Download the certificate",
    "trust_limit": "It can vouch for names in {domain} only, and for no other site.",
    "trust_android": "Settings, Security and privacy, Encryption and credentials, Install a "
    "certificate, CA certificate: choose the downloaded file.",
    "trust_ios": "Open this page in Safari and allow the download. Then Settings, Profile "
    "downloaded, Install; then General, About, Certificate Trust Settings: switch it on.",
    "trust_windows": "Open the file, Install certificate, Current user, place it in Trusted Root "
    "Certification Authorities.",
    "trust_mac": "Open the file in Keychain Access, then open its entry, Trust: Always trust.",
    "trust_linux": "Copy the file to /usr/local/share/ca-certificates and run "
    "update-ca-certificates as root.",
    "trust_firefox": "Settings, Privacy and security, View certificates, Authorities, Import.",
}

ITALIAN = {
    "kind": "Server Matrix",
    "lead": "Chatta con chi conosci, da qualsiasi dispositivo.",
    "lead_private": "Una prova privata su questo computer. Nessun altro può raggiungerla.",
    "browser": "In questo browser",
    "browser_text": "Non c'è nulla da installare.",
    "open": "Apri {brand}",
    "phone": "Sul telefono",
    "phone_install": "Installa Element X dal negozio di app del telefono.",
    "phone_scan": "Inquadra questo codice con la fotocamera: porta a questo server.",
    "phone_sign_in": "Accedi con il tuo nome e la password.",
    "phone_link": "Nessun secondo schermo? Segui questo collegamento sul telefono",
    "phone_code": "Codice per telefoni: apre Element X con il server {server_name}",
    "phone_trial": "Un telefono non può raggiungere una prova. Con un dominio tuo "
    "(la variabile MATRIX_DOMAIN) questa pagina mostra il codice.",
    "other": "Con un'altra app",
    "other_text": "Va bene ogni app Matrix, come Element per computer, FluffyChat, Cinny o "
    "Fractal: quando accedi o crei un account scegli un altro server e scrivi",
    "other_address": "Se chiede l'indirizzo dell'homeserver:",
    "account": "Il tuo account",
    "account_open": "Crealo da un computer, scegliendo «Crea un account»; dal telefono poi accedi. "
    "Non serve un indirizzo e-mail.",
    "account_token": "Lo crei tu, dal telefono o da un computer, con un collegamento che ti dà chi "
    "gestisce questo server. Non serve un indirizzo e-mail.",
    "account_closed": "Lo crea per te chi gestisce questo server: chiedi un nome e una password.",
    "account_name": "Gli altri ti trovano come",
    "name": "nome",
    "networks": "Chi usa altre reti",
    "networks_text": "Puoi scrivere loro da qui, con l'account che hai su quella rete: apri una "
    "chat con il suo bot e scrivi la parola accanto.",
    "trust": "Prima, fidati di questo server",
    "trust_text": "Garantisce da sé la propria identità: ogni dispositivo deve sapere, una volta "
    "sola, che te ne fidi. Altrimenti i browser avvertono e le app non si collegano.",
    "trust_download": "Scarica il certificato",
    "trust_limit": "Può garantire solo per i nomi in {domain}, e per nessun altro sito.",
    "trust_android": "Impostazioni, Sicurezza e privacy, Crittografia e credenziali, Installa un "
    "certificato, Certificato CA: scegli il file scaricato.",
    "trust_ios": "Apri questa pagina in Safari e consenti il download. Poi Impostazioni, Profilo "
    "scaricato, Installa; poi Generali, Info, Attendibilità certificati: attivalo.",
    "trust_windows": "Apri il file, Installa certificato, Utente corrente, mettilo in Autorità di "
    "certificazione radice attendibili.",
    "trust_mac": "Apri il file in Accesso Portachiavi, poi la sua voce, Attendibilità: Fidati "
    "sempre.",
    "trust_linux": "Copia il file in /usr/local/share/ca-certificates ed esegui "
    "update-ca-certificates come root.",
    "trust_firefox": "Impostazioni, Privacy e sicurezza, Mostra certificati, Autorità, Importa.",
}

# The first is for whoever prefers none of them.
TRANSLATIONS = {"en": ENGLISH, "it": ITALIAN}
