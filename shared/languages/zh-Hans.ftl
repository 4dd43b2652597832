date = { $year }年{ $month }月{ $day }日 { $hour }:{ $minute } UTC

page-offline = 无法连接到服务。请检查网络连接，然后重试。
page-throttled = 尝试次数过多。请在{ $wait }重试。
page-failed = 操作未成功。请稍后重试。
page-support = 获取帮助

forgot-title = 忘记密码？
forgot-intro = 请输入您的 { $service } 账号的电子邮件地址。我们将向该地址发送一个链接，您可以用它设置新密码。
forgot-no-script = 此页面需要 JavaScript。请启用后重新加载页面，或使用较新的浏览器。
forgot-label = 电子邮件地址
forgot-button = 发送链接
forgot-sending = 正在发送…
forgot-invalid = 请输入类似 name@example.com 的电子邮件地址。
forgot-sent-title = 请查收电子邮件
forgot-sent = 如果该地址对应一个账号，含有链接的邮件即将送达。这可能需要一分钟；请同时查看垃圾邮件文件夹。
forgot-again = 重新发送
forgot-wait = { $wait }可以重新发送。

choose-title = 设置新密码
choose-for = 用于 { $address }
choose-no-script = 此页面需要 JavaScript。请启用后再次打开邮件中的链接，或在较新的浏览器中打开。
choose-label = 新密码
choose-hint = 至少 { $min } 个字符。几个互不相关的词语可以组成一个好密码。
choose-show = 显示密码
choose-button = 设置密码
choose-checking = 正在检查您的链接…
choose-setting = 正在设置密码…
choose-fine = 此密码可以使用。
choose-reloaded = 为防止他人使用，重新加载或离开后，此页面不会保留链接。
choose-no-link = 请重新打开邮件中的链接。
choose-incomplete-title = 此链接不完整
choose-incomplete = 请将邮件中显示的完整地址复制到浏览器中。
choose-dead-title = 此链接已失效
choose-dead = 它已被使用、已过期，或密码在此之后已更改。
choose-new-link = 申请新链接
choose-retry = 重试
choose-uncertain = 服务未能及时响应。请稍后重试。如果届时链接已失效，则表示您的新密码已设置成功。
choose-done-title = 密码已更改
choose-done = 您的新密码已设置。您可以关闭此页面并登录。
choose-sign-in = 登录

password-short = 密码至少需要 { $min } 个字符。
password-long = 密码最多可有 { $max } 个字符。
password-bytes = 此密码过长，请选择较短的密码。
password-unusable = 此密码包含无法使用的字符。
password-guessable = 此密码太容易被猜到。
password-breached = 此密码曾在数据泄露中出现，请选择其他密码。
advice-keyboard = 键盘上相邻的按键容易被猜到。
advice-repeats = 重复的词语和字符容易被猜到。
advice-sequence = abc 或 6543 之类的连续字符容易被猜到。
advice-common = 它与常用密码相似。
advice-dates = 日期和年份容易被猜到。
advice-names = 姓名容易被猜到。
advice-words = 请使用几个互不相关且不常见的词语。

mail-greeting = 您好！
mail-support = 需要帮助？
mail-device = 设备：{ $device }
mail-country = 国家或地区：{ $country }

reset-subject = 重置您的 { $service } 密码
reset-asked = 有人（希望是您本人）为您的 { $service } 账号申请了新密码。
reset-when = 申请时间：{ $when }
reset-button = 设置新密码
reset-days = 该链接仅可使用一次，有效期为 { $count } 天。
reset-hours = 该链接仅可使用一次，有效期为 { $count } 小时。
reset-minutes = 该链接仅可使用一次，有效期为 { $count } 分钟。
reset-copy = 如果按钮无法使用，请将以下地址复制到浏览器中：
reset-ignore = 如果不是您本人的操作，请忽略此邮件：您的密码不会改变。
reset-secret = 没有此链接，任何人都无法更改密码。请勿转发此链接，也不要透露给任何打电话或发消息向您索要的人。

changed-subject = 您的 { $service } 密码已更改
changed-what = 您的 { $service } 账号的密码已更改。
changed-when = 更改时间：{ $when }
changed-you = 如果是您本人的操作，则无需做任何事。
changed-not-you = 如果不是您本人的操作，很可能有其他人能够阅读您的邮件。请先保护好您的邮箱，然后申请新密码，并通知 { $service } 的管理人员。
changed-new = 申请新密码

invite-subject = 设置您的 { $service } 密码
invite-what = 已为您创建 { $service } 账号，请为其设置密码。
invite-button = 设置密码
invite-secret = 任何持有此链接的人都可以设置您账号的密码。请勿转发此邮件。

unknown-subject = 没有使用此地址的 { $service } 账号
unknown-asked = 有人（希望是您本人）使用此邮箱地址为 { $service } 申请了新密码。
unknown-what = 我们没有找到使用此地址的账号。您可能是用其他地址注册的。
unknown-ignore = 如果不是您本人的操作，请忽略此邮件。
