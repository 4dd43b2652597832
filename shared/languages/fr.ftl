# French puts a no-break space, U+00A0, before : ; ? and !

date =
    { $day } { $month ->
        [1] janvier
        [2] février
        [3] mars
        [4] avril
        [5] mai
        [6] juin
        [7] juillet
        [8] août
        [9] septembre
        [10] octobre
        [11] novembre
       *[12] décembre
    } { $year } à { $hour }:{ $minute } UTC

page-offline = Le service est injoignable. Veuillez vérifier votre connexion et réessayer.
page-throttled = Trop de tentatives. Veuillez réessayer { $wait }.
page-failed = Cela n’a pas fonctionné. Veuillez réessayer dans un instant.
page-support = Obtenir de l’aide

forgot-title = Mot de passe oublié ?
forgot-intro = Saisissez l’adresse e-mail de votre compte { $service }. Nous vous enverrons un lien qui vous permettra de définir un nouveau mot de passe.
forgot-no-script = Cette page nécessite JavaScript. Veuillez l’activer et recharger la page, ou utiliser un navigateur plus récent.
forgot-label = Adresse e-mail
forgot-button = Envoyer le lien
forgot-sending = Envoi en cours…
forgot-invalid = Veuillez saisir une adresse e-mail telle que nom@example.com.
forgot-sent-title = Consultez vos e-mails
forgot-sent = Si un compte correspond à cette adresse, un e-mail contenant un lien est en route. Cela peut prendre une minute ; pensez à regarder dans vos courriers indésirables.
forgot-again = Renvoyer le lien
forgot-wait = Vous pourrez renvoyer le lien { $wait }.

choose-title = Choisir un nouveau mot de passe
choose-for = Pour { $address }
choose-no-script = Cette page nécessite JavaScript. Veuillez l’activer et rouvrir le lien reçu par e-mail, ou l’ouvrir dans un navigateur plus récent.
choose-label = Nouveau mot de passe
choose-hint =
    { $min ->
        [one] Au moins { $min } caractère.
       *[other] Au moins { $min } caractères.
    } Quelques mots sans rapport entre eux font un bon mot de passe.
choose-show = Afficher le mot de passe
choose-button = Enregistrer le mot de passe
choose-checking = Vérification de votre lien…
choose-setting = Enregistrement du mot de passe…
choose-fine = Ce mot de passe convient.
choose-reloaded = Cette page oublie le lien lorsqu’elle est rechargée ou quittée, afin que personne d’autre ne puisse l’utiliser.
choose-no-link = Veuillez ouvrir à nouveau le lien de votre e-mail.
choose-incomplete-title = Ce lien est incomplet
choose-incomplete = Veuillez copier dans votre navigateur l’adresse complète qui figure dans l’e-mail.
choose-dead-title = Ce lien ne fonctionne plus
choose-dead = Il a été utilisé, il a expiré ou le mot de passe a été modifié depuis.
choose-new-link = Demander un nouveau lien
choose-retry = Réessayer
choose-uncertain = Le service n’a pas répondu à temps. Veuillez réessayer dans un instant. Si le lien ne fonctionne plus, votre nouveau mot de passe est enregistré.
choose-done-title = Mot de passe modifié
choose-done = Votre nouveau mot de passe est enregistré. Vous pouvez fermer cette page et vous connecter.
choose-sign-in = Se connecter

password-short =
    { $min ->
        [one] Le mot de passe doit comporter au moins { $min } caractère.
       *[other] Le mot de passe doit comporter au moins { $min } caractères.
    }
password-long =
    { $max ->
        [one] Le mot de passe doit comporter au plus { $max } caractère.
       *[other] Le mot de passe doit comporter au plus { $max } caractères.
    }
password-bytes = Ce mot de passe est trop long. Veuillez en choisir un plus court.
password-unusable = Ce mot de passe contient un caractère qui ne peut pas être utilisé.
password-guessable = Ce mot de passe est trop facile à deviner.
password-breached = Ce mot de passe figure dans une fuite de données. Veuillez en choisir un autre.
advice-keyboard = Les touches voisines sont faciles à deviner.
advice-repeats = Les répétitions de mots ou de caractères sont faciles à deviner.
advice-sequence = Les suites telles que abc ou 6543 sont faciles à deviner.
advice-common = Il ressemble à un mot de passe très courant.
advice-dates = Les dates et les années sont faciles à deviner.
advice-names = Les noms et prénoms sont faciles à deviner.
advice-words = Utilisez quelques mots rares, sans rapport entre eux.

mail-greeting = Bonjour,
mail-support = Besoin d’aide ?
mail-device = Appareil : { $device }
mail-country = Pays ou région : { $country }

reset-subject = Réinitialisez votre mot de passe { $service }
reset-asked = Quelqu’un, vous sans doute, a demandé un nouveau mot de passe pour votre compte { $service }.
reset-when = Date de la demande : { $when }
reset-button = Définir un nouveau mot de passe
reset-days =
    { $count ->
        [one] Ce lien est valable { $count } jour et ne peut être utilisé qu’une seule fois.
       *[other] Ce lien est valable { $count } jours et ne peut être utilisé qu’une seule fois.
    }
reset-hours =
    { $count ->
        [one] Ce lien est valable { $count } heure et ne peut être utilisé qu’une seule fois.
       *[other] Ce lien est valable { $count } heures et ne peut être utilisé qu’une seule fois.
    }
reset-minutes =
    { $count ->
        [one] Ce lien est valable { $count } minute et ne peut être utilisé qu’une seule fois.
       *[other] Ce lien est valable { $count } minutes et ne peut être utilisé qu’une seule fois.
    }
reset-copy = Si le bouton ne fonctionne pas, copiez cette adresse dans votre navigateur :
reset-ignore = Si vous n’êtes pas à l’origine de cette demande, ignorez cet e-mail : votre mot de passe reste inchangé.
reset-secret = Personne ne peut modifier votre mot de passe sans ce lien. Ne le transférez pas et ne le communiquez à personne, ni par téléphone ni par écrit.

changed-subject = Votre mot de passe { $service } a été modifié
changed-what = Le mot de passe de votre compte { $service } a été modifié.
changed-when = Date de la modification : { $when }
changed-you = Si c’était vous, vous n’avez rien à faire.
changed-not-you = Si ce n’était pas vous, quelqu’un d’autre peut probablement lire vos e-mails. Sécurisez d’abord votre messagerie, puis demandez un nouveau mot de passe et prévenez les responsables de { $service }.
changed-new = Demander un nouveau mot de passe

invite-subject = Définissez votre mot de passe { $service }
invite-what = Un compte { $service } a été créé pour vous. Veuillez en définir le mot de passe.
invite-button = Définir un mot de passe
invite-secret = Toute personne disposant de ce lien peut définir le mot de passe de votre compte. Ne le transférez pas.

unknown-subject = Aucun compte { $service } avec cette adresse
unknown-asked = Quelqu’un, vous sans doute, a demandé un nouveau mot de passe { $service } avec cette adresse e-mail.
unknown-what = Nous n’avons trouvé aucun compte avec cette adresse. Vous vous êtes peut-être inscrit avec une autre.
unknown-ignore = Si vous n’êtes pas à l’origine de cette demande, ignorez cet e-mail.
