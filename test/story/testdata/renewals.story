# A purchase on the 31st is renewed through a leap year: the day comes back after every short month. Renewals that
# have not begun are unsubscribed in full; the current term goes on.

clock     2027-12-31 18:00
customer  cedar-labs
nocoupons                               # so that money alone pays
order     web 1 s3.small.1.linux 1m
pay       web
resource  web expires 2028-01-31T23:59:59
renew     web 1m as first pay
resource  web expires 2028-02-29T23:59:59
renew     web 1m as second
expect    second status 6 type 2
refused   CBC.99003100 renew web 1m as third
refused   CBC.99003100 unsubscribe web
pay       second
expect    second status 5 expires 2028-03-31T23:59:59
renew     web 2m as third pay
resource  web expires 2028-05-31T23:59:59
refused   CBC.0100 renew web 12m as fourth
check

clock     2028-02-10 09:00              # in the first renewal
unsubscribe web as back renewals
expect    back status 5 type 4 amount 29.22 fee 0 consumed 0   # three months that had not begun
resource  web status 2 expires 2028-02-29T23:59:59
refused   CBC.99003128 unsubscribe web as none renewals
renew     web 1m as next pay
resource  web expires 2028-03-31T23:59:59
check
