# Chinese in traditional characters, in the words of Taiwan.

date = { $year }年{ $month }月{ $day }日 { $hour }:{ $minute } UTC

page-offline = 無法連線到服務。請檢查網路連線，然後再試一次。
page-throttled = 嘗試次數過多。請在 { $wait }再試一次。
page-failed = 發生錯誤。請稍後再試。
page-support = 取得協助

forgot-title = 忘記密碼？
forgot-intro = 請輸入您 { $service } 帳號的電子郵件地址。我們會寄送連結給您，讓您設定新密碼。
forgot-no-script = 此頁面需要 JavaScript。請啟用後重新載入頁面，或使用較新的瀏覽器。
forgot-label = 電子郵件地址
forgot-button = 寄送連結
forgot-sending = 正在寄送…
forgot-invalid = 請輸入電子郵件地址，例如 name@example.com。
forgot-sent-title = 請查看電子郵件
forgot-sent = 如果有帳號使用這個地址，含有連結的郵件即將送達。可能需要一分鐘，也請查看垃圾郵件匣。
forgot-again = 重新寄送
forgot-wait = { $wait }可以重新寄送。

choose-title = 設定新密碼
choose-for = 用於 { $address }
choose-no-script = 此頁面需要 JavaScript。請啟用後再次開啟郵件中的連結，或在較新的瀏覽器中開啟。
choose-label = 新密碼
choose-hint = 至少 { $min } 個字元。幾個互不相關的詞語，就能組成安全的密碼。
choose-show = 顯示密碼
choose-button = 設定密碼
choose-checking = 正在檢查連結…
choose-setting = 正在設定密碼…
choose-fine = 這組密碼可以使用。
choose-reloaded = 為防止他人使用，重新載入或離開後，此頁面不會保留連結。
choose-no-link = 請重新開啟郵件中的連結。
choose-incomplete-title = 此連結不完整
choose-incomplete = 請將郵件中顯示的完整網址複製到瀏覽器中。
choose-dead-title = 此連結已失效
choose-dead = 它已被使用、已過期，或密碼在此之後已變更。
choose-new-link = 取得新連結
choose-retry = 再試一次
choose-uncertain = 服務未及時回應。請稍後再試。如果屆時連結已失效，表示您的新密碼已設定完成。
choose-done-title = 密碼已變更
choose-done = 新密碼已設定完成。您可以關閉此頁面並登入。
choose-sign-in = 登入

password-short = 密碼至少須有 { $min } 個字元。
password-long = 密碼最多只能有 { $max } 個字元。
password-bytes = 此密碼過長，請選擇較短的密碼。
password-unusable = 此密碼包含無法使用的字元。
password-guessable = 這組密碼太容易被猜到。
password-breached = 這組密碼曾在資料外洩中出現，請選擇其他密碼。
advice-keyboard = 鍵盤上相鄰的按鍵很容易被猜到。
advice-repeats = 重複的詞語和字元很容易被猜到。
advice-sequence = abc 或 6543 這類連續的字元很容易被猜到。
advice-common = 這組密碼與常見的密碼相似。
advice-dates = 日期和年份很容易被猜到。
advice-names = 姓名很容易被猜到。
advice-words = 請使用幾個互不相關且不常見的詞語。

mail-greeting = 您好：
mail-support = 需要協助嗎？
mail-device = 裝置：{ $device }
mail-country = 國家或地區：{ $country }

reset-subject = 重設您的 { $service } 密碼
reset-asked = 我們收到重設您 { $service } 帳號密碼的要求。
reset-when = 要求時間：{ $when }
reset-button = 設定新密碼
reset-days = 此連結僅能使用一次，{ $count } 天內有效。
reset-hours = 此連結僅能使用一次，{ $count } 小時內有效。
reset-minutes = 此連結僅能使用一次，{ $count } 分鐘內有效。
reset-copy = 如果按鈕無法使用，請將以下網址複製到瀏覽器：
reset-ignore = 如果這不是您本人提出的要求，請忽略這封郵件，您的密碼不會變更。
reset-secret = 沒有這個連結，任何人都無法變更您的密碼。請勿轉寄這封郵件；若有人來電或傳訊息索取連結，也請不要提供。

changed-subject = 您的 { $service } 密碼已變更
changed-what = 您的 { $service } 帳號密碼已變更。
changed-when = 變更時間：{ $when }
changed-you = 如果是您本人變更的，就不需要採取任何動作。
changed-not-you = 如果不是您本人變更的，很可能有其他人能讀取您的郵件。請先確保電子郵件帳號的安全，再申請新密碼，並通知 { $service } 的管理人員。
changed-new = 申請新密碼

invite-subject = 設定您的 { $service } 密碼
invite-what = 已為您建立 { $service } 帳號，請為其設定密碼。
invite-button = 設定密碼
invite-secret = 任何擁有此連結的人都能設定您帳號的密碼。請勿轉寄這封郵件。

unknown-subject = 沒有使用此電子郵件地址的 { $service } 帳號
unknown-asked = 我們收到以此電子郵件地址重設 { $service } 密碼的要求。
unknown-what = 我們找不到使用此地址的帳號。您可能是用其他地址註冊的。
unknown-ignore = 如果這不是您本人提出的要求，請忽略這封郵件。
