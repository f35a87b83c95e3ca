# A server renews by itself: twice there is no money for it, after a top-up there is.

clock     2027-03-10 09:00
customer  cedar-labs
nocoupons                               # so that money alone pays
order     web 1 s3.small.1.linux 1m
pay       web
autorenew web on
resource  web status 2 policy 3 expires 2027-04-10T23:59:59
withdraw  9990.26                       # nothing is left
expect    cash 0

clock     2027-04-03 02:59              # seven days before, an hour early
resource  web expires 2027-04-10T23:59:59
clock     2027-04-03 03:00              # the first try
resource  web expires 2027-04-10T23:59:59
clock     2027-04-04 12:00              # the second
resource  web expires 2027-04-10T23:59:59
topup     100
clock     2027-04-05 03:00
resource  web status 2 expires 2027-05-10T23:59:59
expect    cash 90.26                    # 9.74 for a month
clock     2028-02-20 00:00              # ten more months by itself, until the money is gone
resource  web status 5 expires 2028-02-10T23:59:59
expect    cash 2.6
check
