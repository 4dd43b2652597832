date =
    { $day } { $month ->
        [1] Ocak
        [2] Şubat
        [3] Mart
        [4] Nisan
        [5] Mayıs
        [6] Haziran
        [7] Temmuz
        [8] Ağustos
        [9] Eylül
        [10] Ekim
        [11] Kasım
       *[12] Aralık
    } { $year } { $hour }:{ $minute } UTC

page-offline = Hizmete ulaşılamadı. Lütfen internet bağlantınızı kontrol edip tekrar deneyin.
page-throttled = Çok fazla deneme yapıldı. Lütfen { $wait } tekrar deneyin.
page-failed = İşlem başarısız oldu. Lütfen biraz sonra tekrar deneyin.
page-support = Yardım al

forgot-title = Parolanızı mı unuttunuz?
forgot-intro = { $service } hesabınızın e-posta adresini girin. Yeni bir parola belirleyebileceğiniz bir bağlantı göndereceğiz.
forgot-no-script = Bu sayfa için JavaScript gerekli. Lütfen etkinleştirip sayfayı yenileyin ya da daha yeni bir tarayıcı kullanın.
forgot-label = E-posta adresi
forgot-button = Bağlantıyı gönder
forgot-sending = Gönderiliyor…
forgot-invalid = Lütfen ad@example.com gibi bir e-posta adresi girin.
forgot-sent-title = E-postanızı kontrol edin
forgot-sent = Bu adrese ait bir hesap varsa, bağlantıyı içeren e-posta yola çıktı. Gelmesi bir dakika sürebilir; lütfen istenmeyen posta klasörünüze de bakın.
forgot-again = Tekrar gönder
forgot-wait = { $wait } tekrar gönderebilirsiniz.

choose-title = Yeni bir parola belirleyin
choose-for = { $address } için
choose-no-script = Bu sayfa için JavaScript gerekli. Lütfen etkinleştirip e-postanızdaki bağlantıyı yeniden açın ya da bağlantıyı daha yeni bir tarayıcıda açın.
choose-label = Yeni parola
choose-hint = En az { $min } karakter. Birbiriyle ilgisiz birkaç sözcük iyi bir parola olur.
choose-show = Parolayı göster
choose-button = Parolayı belirle
choose-checking = E-postadaki bağlantı denetleniyor…
choose-setting = Parola belirleniyor…
choose-fine = Bu parola uygun.
choose-reloaded = Bu sayfa, başka kimse kullanamasın diye yenilendiğinde veya terk edildiğinde bağlantıyı unutur.
choose-no-link = Lütfen e-postanızdaki bağlantıyı yeniden açın.
choose-incomplete-title = Bu bağlantı eksik
choose-incomplete = Lütfen e-postada yazan adresin tamamını tarayıcınıza kopyalayın.
choose-dead-title = Bu bağlantı artık çalışmıyor
choose-dead = Kullanılmış, süresi dolmuş ya da parola o zamandan beri değiştirilmiş.
choose-new-link = Yeni bağlantı iste
choose-retry = Tekrar dene
choose-uncertain = Hizmet zamanında yanıt vermedi. Lütfen biraz sonra tekrar deneyin. Bağlantı artık çalışmıyorsa yeni parolanız belirlenmiştir.
choose-done-title = Parola değiştirildi
choose-done = Yeni parolanız belirlendi. Bu sayfayı kapatıp oturum açabilirsiniz.
choose-sign-in = Oturum aç

password-short = Parola en az { $min } karakter olmalıdır.
password-long = Parola en fazla { $max } karakter olabilir.
password-bytes = Bu parola çok uzun. Lütfen daha kısa bir parola seçin.
password-unusable = Bu parola, kullanılamayan bir karakter içeriyor.
password-guessable = Bu parola çok kolay tahmin edilebilir.
password-breached = Bu parola bir veri sızıntısında yer alıyor. Lütfen başka bir parola seçin.
advice-keyboard = Yan yana tuşlar kolay tahmin edilir.
advice-repeats = Yinelenen sözcükler ve karakterler kolay tahmin edilir.
advice-sequence = abc veya 6543 gibi diziler kolay tahmin edilir.
advice-common = Sık kullanılan bir parolaya benziyor.
advice-dates = Tarihler ve yıllar kolay tahmin edilir.
advice-names = Ad ve soyadlar kolay tahmin edilir.
advice-words = Birbiriyle ilgisiz, az kullanılan birkaç sözcük seçin.

mail-greeting = Merhaba,
mail-support = Yardıma mı ihtiyacınız var?
mail-device = Cihaz: { $device }
mail-country = Ülke veya bölge: { $country }

reset-subject = { $service } parolanızı sıfırlayın
reset-asked = Birisi, umarız sizsinizdir, { $service } hesabınız için yeni bir parola istedi.
reset-when = İstek zamanı: { $when }
reset-button = Yeni parola belirle
reset-days = Bağlantı { $count } gün geçerlidir ve yalnızca bir kez kullanılabilir.
reset-hours = Bağlantı { $count } saat geçerlidir ve yalnızca bir kez kullanılabilir.
reset-minutes = Bağlantı { $count } dakika geçerlidir ve yalnızca bir kez kullanılabilir.
reset-copy = Düğme çalışmazsa bu adresi tarayıcınıza kopyalayın:
reset-ignore = Bu isteği siz yapmadıysanız bu e-postayı dikkate almayın: parolanız olduğu gibi kalır.
reset-secret = Bu bağlantı olmadan kimse parolanızı değiştiremez. Bağlantıyı iletmeyin ve sizi arayan ya da size yazan kimseye söylemeyin.

changed-subject = { $service } parolanız değiştirildi
changed-what = { $service } hesabınızın parolası değiştirildi.
changed-when = Değişiklik zamanı: { $when }
changed-you = Bu değişikliği siz yaptıysanız bir şey yapmanız gerekmez.
changed-not-you = Bu değişikliği siz yapmadıysanız büyük olasılıkla başka biri e-postalarınızı okuyabiliyor. Önce posta kutunuzu güvenceye alın, ardından yeni bir parola isteyin ve { $service } yöneticilerine haber verin.
changed-new = Yeni parola iste

invite-subject = { $service } parolanızı belirleyin
invite-what = { $service } hizmetinde sizin için bir hesap oluşturuldu. Lütfen bu hesap için bir parola belirleyin.
invite-button = Parola belirle
invite-secret = Bu bağlantıya sahip olan herkes hesabınızın parolasını belirleyebilir. Bu e-postayı iletmeyin.

unknown-subject = Bu adresle bir { $service } hesabı yok
unknown-asked = Birisi, umarız sizsinizdir, bu e-posta adresiyle { $service } için yeni bir parola istedi.
unknown-what = Bu adresle bir hesap bulamadık. Başka bir adresle kaydolmuş olabilirsiniz.
unknown-ignore = Bu isteği siz yapmadıysanız bu e-postayı dikkate almayın.
