date =
    { $day } { $month ->
        [1] gennaio
        [2] febbraio
        [3] marzo
        [4] aprile
        [5] maggio
        [6] giugno
        [7] luglio
        [8] agosto
        [9] settembre
        [10] ottobre
        [11] novembre
       *[12] dicembre
    } { $year } alle ore { $hour }:{ $minute } UTC

page-offline = Il servizio non è raggiungibile. Verifichi la connessione e riprovi.
page-throttled = Troppi tentativi. Riprovi { $wait }.
page-failed = Si è verificato un errore. Riprovi tra un momento.
page-support = Richiedi assistenza

forgot-title = Password dimenticata?
forgot-intro = Inserisca l’indirizzo e-mail del Suo account { $service }. Le invieremo un link con cui potrà impostare una nuova password.
forgot-no-script = Questa pagina richiede JavaScript. Attivalo e ricarica la pagina, oppure usa un browser più recente.
forgot-label = Indirizzo e-mail
forgot-button = Invia il link
forgot-sending = Invio in corso…
forgot-invalid = Inserisca un indirizzo e-mail come nome@example.com.
forgot-sent-title = Controlla la tua email
forgot-sent = Se esiste un account con questo indirizzo, un’e-mail con un link è in arrivo. Può volerci un minuto; controlli anche la cartella dello spam.
forgot-again = Invia di nuovo
forgot-wait = Potrà inviarlo di nuovo { $wait }.

choose-title = Scelga una nuova password
choose-for = Per { $address }
choose-no-script = Questa pagina richiede JavaScript. Attivalo e apri di nuovo il link nell’email, oppure aprilo in un browser più recente.
choose-label = Nuova password
choose-hint =
    { $min ->
        [one] Almeno { $min } carattere.
       *[other] Almeno { $min } caratteri.
    } Alcune parole senza legame tra loro formano una buona password.
choose-show = Mostra la password
choose-button = Imposta la password
choose-checking = Verifica del link…
choose-setting = Impostazione della password…
choose-fine = Questa password va bene.
choose-reloaded = Questa pagina dimentica il link quando viene ricaricata o chiusa, affinché nessun altro possa usarlo.
choose-no-link = Apra di nuovo il link nell’e-mail.
choose-incomplete-title = Questo link è incompleto
choose-incomplete = Copia nel browser l’intero indirizzo riportato nell’email.
choose-dead-title = Questo link non funziona più
choose-dead = È stato usato, è scaduto oppure la password è stata cambiata nel frattempo.
choose-new-link = Richiedi un nuovo link
choose-retry = Riprova
choose-uncertain = Il servizio non ha risposto in tempo. Riprovi tra un momento. Se il link non funziona più, la nuova password è già impostata.
choose-done-title = Password cambiata
choose-done = La nuova password è impostata. Può chiudere questa pagina e accedere.
choose-sign-in = Accedi

password-short =
    { $min ->
        [one] La password deve avere almeno { $min } carattere.
       *[other] La password deve avere almeno { $min } caratteri.
    }
password-long =
    { $max ->
        [one] La password deve avere al massimo { $max } carattere.
       *[other] La password deve avere al massimo { $max } caratteri.
    }
password-bytes = Questa password è troppo lunga. Scegline una più corta.
password-unusable = Questa password contiene un carattere che non si può usare.
password-guessable = Questa password è troppo facile da indovinare.
password-breached = Questa password compare in una fuga di dati. Scegline un’altra.
advice-keyboard = I tasti vicini sono facili da indovinare.
advice-repeats = Le parole e i caratteri ripetuti sono facili da indovinare.
advice-sequence = Le sequenze come abc o 6543 sono facili da indovinare.
advice-common = È simile a una password molto comune.
advice-dates = Le date e gli anni sono facili da indovinare.
advice-names = I nomi e i cognomi sono facili da indovinare.
advice-words = Usi alcune parole insolite e senza legame tra loro.

mail-greeting = Buongiorno,
mail-support = Ha bisogno di aiuto?
mail-device = Dispositivo: { $device }
mail-country = Paese o regione: { $country }

reset-subject = Reimpostazione della password di { $service }
reset-asked = abbiamo ricevuto la richiesta di una nuova password per il Suo account { $service }.
reset-when = Data della richiesta: { $when }
reset-button = Imposta una nuova password
reset-days =
    { $count ->
        [one] Il link è valido per { $count } giorno e può essere usato una sola volta.
       *[other] Il link è valido per { $count } giorni e può essere usato una sola volta.
    }
reset-hours =
    { $count ->
        [one] Il link è valido per { $count } ora e può essere usato una sola volta.
       *[other] Il link è valido per { $count } ore e può essere usato una sola volta.
    }
reset-minutes =
    { $count ->
        [one] Il link è valido per { $count } minuto e può essere usato una sola volta.
       *[other] Il link è valido per { $count } minuti e può essere usato una sola volta.
    }
reset-copy = Se il pulsante non funziona, copi questo indirizzo nel browser:
reset-ignore = Se non ha fatto Lei questa richiesta, ignori questa e-mail: la Sua password resta invariata.
reset-secret = Nessuno può cambiare la Sua password senza questo link. Non lo inoltri e non lo comunichi a chi Le telefona o Le scrive.

changed-subject = La Sua password per { $service } è stata cambiata
changed-what = la password del Suo account { $service } è stata cambiata.
changed-when = Data della modifica: { $when }
changed-you = Se ha cambiato Lei la password, non deve fare nulla.
changed-not-you = Se non ha cambiato Lei la password, è probabile che qualcun altro possa leggere la Sua posta. Protegga prima la Sua casella di posta, poi richieda una nuova password e avvisi i responsabili di { $service }.
changed-new = Richiedi una nuova password

invite-subject = Imposti la Sua password di { $service }
invite-what = è stato creato per Lei un account { $service }. Imposti una password per questo account.
invite-button = Imposta una password
invite-secret = Chiunque abbia questo link può impostare la password del Suo account. Non lo inoltri.

unknown-subject = Nessun account { $service } con questo indirizzo
unknown-asked = abbiamo ricevuto la richiesta di una nuova password di { $service } con questo indirizzo e-mail.
unknown-what = Non abbiamo trovato alcun account con questo indirizzo. Forse si è registrato con un altro.
unknown-ignore = Se non ha fatto Lei questa richiesta, ignori questa e-mail.
