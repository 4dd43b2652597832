date =
    { $day } de { $month ->
        [1] enero
        [2] febrero
        [3] marzo
        [4] abril
        [5] mayo
        [6] junio
        [7] julio
        [8] agosto
        [9] septiembre
        [10] octubre
        [11] noviembre
       *[12] diciembre
    } de { $year } { $short-hour ->
        [1] a la
       *[other] a las
    } { $short-hour }:{ $minute } UTC

page-offline = No se ha podido conectar con el servicio. Compruebe su conexión e inténtelo de nuevo.
page-throttled = Demasiados intentos. Inténtelo de nuevo { $wait }.
page-failed = No ha funcionado. Inténtelo de nuevo dentro de un momento.
page-support = Obtener ayuda

forgot-title = ¿Ha olvidado su contraseña?
forgot-intro = Introduzca la dirección de correo electrónico de su cuenta de { $service }. Le enviaremos un enlace con el que podrá establecer una contraseña nueva.
forgot-no-script = Esta página necesita JavaScript. Actívalo y recarga la página, o usa un navegador más reciente.
forgot-label = Correo electrónico
forgot-button = Enviar el enlace
forgot-sending = Enviando…
forgot-invalid = Introduzca una dirección de correo como nombre@example.com.
forgot-sent-title = Revisa tu correo
forgot-sent = Si existe una cuenta con esta dirección, ya va en camino un correo con un enlace. Puede tardar un minuto; mire también en la carpeta de correo no deseado.
forgot-again = Enviar de nuevo
forgot-wait = Podrá enviarlo de nuevo { $wait }.

choose-title = Elija una contraseña nueva
choose-for = Para { $address }
choose-no-script = Esta página necesita JavaScript. Actívalo y vuelve a abrir el enlace del correo, o ábrelo en un navegador más reciente.
choose-label = Contraseña nueva
choose-hint =
    { $min ->
        [one] Al menos { $min } carácter.
       *[other] Al menos { $min } caracteres.
    } Unas cuantas palabras sin relación entre sí forman una buena contraseña.
choose-show = Mostrar la contraseña
choose-button = Guardar la contraseña
choose-checking = Comprobando el enlace…
choose-setting = Guardando la contraseña…
choose-fine = Esta contraseña es buena.
choose-reloaded = Esta página olvida el enlace cuando se recarga o se abandona, para que nadie más pueda usarlo.
choose-no-link = Abra de nuevo el enlace del correo.
choose-incomplete-title = Este enlace está incompleto
choose-incomplete = Copia en tu navegador la dirección completa que aparece en el correo.
choose-dead-title = Este enlace ya no funciona
choose-dead = Se ha usado, ha caducado o la contraseña se ha cambiado desde entonces.
choose-new-link = Solicitar un enlace nuevo
choose-retry = Intentar de nuevo
choose-uncertain = El servicio no ha respondido a tiempo. Inténtelo de nuevo dentro de un momento. Si el enlace ya no funciona, su contraseña nueva ha quedado guardada.
choose-done-title = Contraseña cambiada
choose-done = Su contraseña nueva se ha guardado. Puede cerrar esta página e iniciar sesión.
choose-sign-in = Iniciar sesión

password-short =
    { $min ->
        [one] La contraseña debe tener al menos { $min } carácter.
       *[other] La contraseña debe tener al menos { $min } caracteres.
    }
password-long =
    { $max ->
        [one] La contraseña debe tener como máximo { $max } carácter.
       *[other] La contraseña debe tener como máximo { $max } caracteres.
    }
password-bytes = Esta contraseña es demasiado larga. Elige una más corta.
password-unusable = Esta contraseña contiene un carácter que no se puede usar.
password-guessable = Esta contraseña es demasiado fácil de adivinar.
password-breached = Esta contraseña aparece en una filtración de datos. Elige otra.
advice-keyboard = Las teclas contiguas son fáciles de adivinar.
advice-repeats = Las palabras y los caracteres repetidos son fáciles de adivinar.
advice-sequence = Las secuencias como abc o 6543 son fáciles de adivinar.
advice-common = Se parece a una contraseña muy común.
advice-dates = Las fechas y los años son fáciles de adivinar.
advice-names = Los nombres y apellidos son fáciles de adivinar.
advice-words = Utilice unas cuantas palabras poco comunes y sin relación entre sí.

mail-greeting = Hola:
mail-support = ¿Necesita ayuda?
mail-device = Dispositivo: { $device }
mail-country = País o región: { $country }

reset-subject = Restablezca su contraseña de { $service }
reset-asked = Hemos recibido una solicitud de contraseña nueva para su cuenta de { $service }.
reset-when = Fecha de la solicitud: { $when }
reset-button = Establecer una contraseña nueva
reset-days =
    { $count ->
        [one] El enlace es válido durante { $count } día y solo se puede usar una vez.
       *[other] El enlace es válido durante { $count } días y solo se puede usar una vez.
    }
reset-hours =
    { $count ->
        [one] El enlace es válido durante { $count } hora y solo se puede usar una vez.
       *[other] El enlace es válido durante { $count } horas y solo se puede usar una vez.
    }
reset-minutes =
    { $count ->
        [one] El enlace es válido durante { $count } minuto y solo se puede usar una vez.
       *[other] El enlace es válido durante { $count } minutos y solo se puede usar una vez.
    }
reset-copy = Si el botón no funciona, copie esta dirección en su navegador:
reset-ignore = Si no ha sido usted, ignore este correo: su contraseña sigue siendo la misma.
reset-secret = Nadie puede cambiar su contraseña sin este enlace. No lo reenvíe ni se lo diga a nadie que le llame o le escriba.

changed-subject = Se ha cambiado su contraseña de { $service }
changed-what = Se ha cambiado la contraseña de su cuenta de { $service }.
changed-when = Fecha del cambio: { $when }
changed-you = Si ha sido usted, no tiene que hacer nada.
changed-not-you = Si no ha sido usted, es probable que otra persona pueda leer su correo. Proteja primero su cuenta de correo; después, solicite una contraseña nueva y avise a los responsables de { $service }.
changed-new = Solicitar una contraseña nueva

invite-subject = Establezca su contraseña de { $service }
invite-what = Se ha creado una cuenta para usted en { $service }. Establezca una contraseña para ella.
invite-button = Establecer contraseña
invite-secret = Quien tenga este enlace puede establecer la contraseña de su cuenta. No lo reenvíe.

unknown-subject = No hay ninguna cuenta de { $service } con esta dirección
unknown-asked = Hemos recibido una solicitud de contraseña nueva de { $service } con esta dirección de correo.
unknown-what = No hemos encontrado ninguna cuenta con esta dirección. Es posible que se registrara con otra.
unknown-ignore = Si no ha sido usted, ignore este correo.
